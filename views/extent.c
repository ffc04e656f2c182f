/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/extent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool sorted(const struct extent *list, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (list[i - 1].start > list[i].start)
			return false;
	}
	return true;
}

/* Shell's, in place, because qsort() may allocate. */
static void sort_extents(struct extent *list, size_t count)
{
	size_t gap = 1;

	/* Regions mostly come in the order of their addresses. */
	if (sorted(list, count))
		return;
	while (gap < count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3)
		for (size_t i = gap; i < count; i++) {
			const struct extent moved = list[i];
			size_t at = i;

			for (; at >= gap && list[at - gap].start > moved.start; at -= gap)
				list[at] = list[at - gap];
			list[at] = moved;
		}
}

static struct mapping rule_mapping(const struct view_rule *rule, gpa_t region)
{
	struct mapping mapping = { .rights = rule->rights, .ve = rule->ve };

	if (rule->remapped && rule->rights != 0)
		mapping.offset = rule->target.v - region.v;
	return mapping;
}

int extents_reserve(struct extent_list *extents, size_t count)
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
	const struct mapping fallback = { .rights = view->rights, .ve = view->ve };
	const int error = extents_reserve(extents, view->rule_count);

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
	sort_extents(extents->list, extents->count);
	join_neighbours(extents);
	return 0;
}

void extents_finish(struct extent_list *extents)
{
	free(extents->list);
	*extents = (struct extent_list){ 0 };
}
