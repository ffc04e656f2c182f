/* SPDX-License-Identifier: GPL-2.0-only */
#include "extent.h"

#include <errno.h>
#include <stdlib.h>

static int compare_extents(const void *a, const void *b)
{
	const struct extent *left = a;
	const struct extent *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static struct mapping rule_mapping(const struct view_rule *rule, gpa_t region)
{
	struct mapping mapping = { .rights = rule->rights };

	if (rule->remapped && rule->rights != 0)
		mapping.offset = rule->target.v - region.v;
	return mapping;
}

static int reserve(struct extent_list *extents, size_t count)
{
	struct extent *list;

	if (count <= extents->capacity)
		return 0;
	list = realloc(extents->list, count * sizeof(*list));
	if (!list)
		return -ENOMEM;
	extents->list = list;
	extents->capacity = count;
	return 0;
}

static void join_neighbours(struct extent_list *extents)
{
	struct extent *list = extents->list;
	size_t kept = 0;

	for (size_t i = 1; i < extents->count; i++) {
		if (list[i].start == list[kept].end &&
		    mapping_equal(list[i].mapping, list[kept].mapping))
			list[kept].end = list[i].end;
		else
			list[++kept] = list[i];
	}
	if (extents->count > 0)
		extents->count = kept + 1;
}

int extents_collect(struct extent_list *extents,
		    const struct view_policy *policy, const struct view *view)
{
	const struct mapping fallback = { .rights = view->rights };
	const int error = reserve(extents, view->rule_count);

	if (error)
		return error;
	extents->count = 0;
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];
		const struct view_region *region =
			&policy->regions[rule->region];
		const struct mapping mapping = rule_mapping(rule, region->gpa);

		if (mapping_equal(mapping, fallback))
			continue;
		extents->list[extents->count++] = (struct extent){
			.start = region->gpa.v,
			.end = region->gpa.v + region->size,
			.mapping = mapping,
		};
	}
	if (extents->count > 0)
		qsort(extents->list, extents->count, sizeof(*extents->list),
		      compare_extents);
	join_neighbours(extents);
	return 0;
}

void extents_finish(struct extent_list *extents)
{
	free(extents->list);
	*extents = (struct extent_list){ 0 };
}
