/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/view_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct placed {
	uint64_t start;
	uint32_t region;
};

static int compare_placed(const void *a, const void *b)
{
	const struct placed *left = a;
	const struct placed *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static int sort_regions(struct view_map *map)
{
	const struct view_policy *policy = map->policy;
	struct placed *placed =
		calloc(policy->region_count + 1, sizeof(*placed));

	if (!placed)
		return -ENOMEM;
	for (size_t i = 0; i < policy->region_count; i++)
		placed[i] = (struct placed){ policy->regions[i].gpa.v,
					     (uint32_t)i };
	qsort(placed, policy->region_count, sizeof(*placed), compare_placed);
	for (size_t i = 0; i < policy->region_count; i++)
		map->order[i] = placed[i].region;
	free(placed);
	return 0;
}

int view_map_init(struct view_map *map, const struct view_policy *policy,
		  const struct guest_memory *memory)
{
	const size_t regions = policy->region_count;
	/* Each region may be followed by a gap, and begin after one. */
	const size_t room = 2 * regions + memory->count;

	*map = (struct view_map){
		.policy = policy,
		.memory = memory,
		.order = calloc(regions + 1, sizeof(*map->order)),
		.rules = calloc(regions + 1, sizeof(*map->rules)),
		.pieces = calloc(room, sizeof(*map->pieces)),
		.by_shown = calloc(room, sizeof(*map->by_shown)),
		.moved = calloc(room, sizeof(*map->moved)),
	};
	if (map->order && map->rules && map->pieces && map->by_shown &&
	    map->moved && sort_regions(map) == 0)
		return 0;
	view_map_finish(map);
	return -ENOMEM;
}

void view_map_finish(struct view_map *map)
{
	free(map->order);
	free(map->rules);
	free(map->pieces);
	free(map->by_shown);
	free(map->moved);
	*map = (struct view_map){ 0 };
}

static void add_rest(struct view_map *map, const struct view *view,
		     uint64_t start, uint64_t end)
{
	if (start < end)
		map->pieces[map->count++] = (struct view_piece){
			.start = start,
			.end = end,
			.shown = start,
			.rights = view->rights,
			.region = POLICY_NO_INDEX,
		};
}

static void add_region(struct view_map *map, const struct view *view,
		       uint32_t index)
{
	const struct view_region *region = &map->policy->regions[index];
	const struct view_rule *rule = map->rules[index];

	map->pieces[map->count++] = (struct view_piece){
		.start = region->gpa.v,
		.end = region->gpa.v + region->size,
		.shown =
			rule && rule->remapped ? rule->target.v : region->gpa.v,
		.rights = rule ? rule->rights : view->rights,
		.region = index,
		.ruled = rule,
	};
}

/* Ranges that touch are one, because a region may lie across. */
static size_t join_ranges(const struct guest_memory *memory, size_t first,
			  uint64_t *ret_end)
{
	size_t next = first + 1;

	*ret_end = memory->ranges[first].start.v + memory->ranges[first].size;
	while (next < memory->count &&
	       memory->ranges[next].start.v == *ret_end) {
		*ret_end += memory->ranges[next].size;
		next++;
	}
	return next;
}

static int compare_shown(const void *a, const void *b)
{
	const struct view_piece *left = a;
	const struct view_piece *right = b;

	if (left->shown != right->shown)
		return left->shown > right->shown ? 1 : -1;
	return (left->start > right->start) - (left->start < right->start);
}

/* Most pieces show their own memory and are in order, so only the others are
 * sorted, and put between them. */
static void sort_shown(struct view_map *map)
{
	size_t next = 0;
	size_t count = 0;

	map->moved_count = 0;
	for (size_t i = 0; i < map->count; i++) {
		if (map->pieces[i].shown != map->pieces[i].start)
			map->moved[map->moved_count++] = map->pieces[i];
	}
	qsort(map->moved, map->moved_count, sizeof(*map->moved), compare_shown);
	for (size_t i = 0; i < map->count; i++) {
		const struct view_piece *piece = &map->pieces[i];

		if (piece->shown != piece->start)
			continue;
		while (next < map->moved_count &&
		       compare_shown(&map->moved[next], piece) < 0)
			map->by_shown[count++] = map->moved[next++];
		map->by_shown[count++] = *piece;
	}
	while (next < map->moved_count)
		map->by_shown[count++] = map->moved[next++];
}

void view_map_fill(struct view_map *map, uint32_t view_index)
{
	const struct view_policy *policy = map->policy;
	const struct view *view = &policy->views[view_index];
	size_t placed = 0;
	uint64_t at, end;

	map->count = 0;
	memset(map->rules, 0, policy->region_count * sizeof(*map->rules));
	for (size_t i = 0; i < view->rule_count; i++)
		map->rules[view->rules[i].region] = &view->rules[i];
	for (size_t range = 0; range < map->memory->count;) {
		at = map->memory->ranges[range].start.v;
		range = join_ranges(map->memory, range, &end);
		while (placed < policy->region_count &&
		       policy->regions[map->order[placed]].gpa.v < end) {
			const uint32_t region = map->order[placed++];

			add_rest(map, view, at, policy->regions[region].gpa.v);
			add_region(map, view, region);
			at = map->pieces[map->count - 1].end;
		}
		add_rest(map, view, at, end);
	}
	sort_shown(map);
}

size_t view_map_from(const struct view_map *map, uint64_t at)
{
	size_t low = 0;
	size_t high = map->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (map->pieces[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct view_piece *view_map_at(const struct view_map *map, uint64_t at)
{
	const size_t index = view_map_from(map, at);

	return index < map->count && map->pieces[index].start <= at
		       ? &map->pieces[index]
		       : NULL;
}
