/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/ept_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "views/ept_builder.h"

/* Uniform ranges whose tables are remembered; when there are more, building them is work done again. */
#define MEMO_CAPACITY 8192

struct ept_live {
	struct view_target target;
	struct gpa_range *ranges; /* those of the target */
	struct table_arena arena;
	struct ept_builder builder;
	uint8_t *marks; /* one for each page of the arena */
	size_t root_count;
	gpa_t roots[VIEW_MAX];
};

static int copy_target(struct ept_live *live, const struct view_target *target)
{
	const size_t count = target->memory.count;

	live->ranges = calloc(count, sizeof(*live->ranges));
	if (!live->ranges)
		return -ENOMEM;
	memcpy(live->ranges, target->memory.ranges, count * sizeof(*live->ranges));
	live->target = *target;
	live->target.memory.ranges = live->ranges;
	return 0;
}

/* What changes will need: they may be made where no memory can be had. */
static int reserve(struct ept_live *live, size_t regions)
{
	live->marks = malloc(live->arena.size / GPA_PAGE_SIZE);
	if (!live->marks || extents_reserve(&live->builder.extents, regions) != 0 ||
	    memo_fix(&live->builder.memo, MEMO_CAPACITY) != 0)
		return -ENOMEM;
	return tables_reserve(&live->builder.pool);
}

int ept_live_create(const struct view_policy *policy, const struct view_target *target,
		    const struct table_arena *arena, struct ept_views *ret_views,
		    struct ept_live **ret_live, struct policy_error *ret_error)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_OUT_OF_MEMORY);
	struct ept_live *live;
	int result = ept_build_check(policy, target, arena, ret_error);

	if (result < 0)
		return result;
	live = calloc(1, sizeof(*live));
	if (!live || copy_target(live, target) != 0)
		goto out_of_memory;
	live->arena = *arena;
	if (ept_builder_init(&live->builder, &live->target, &live->arena) != 0 ||
	    reserve(live, policy->region_count) != 0)
		goto out_of_memory;
	result = ept_build_views(&live->builder, policy, true, ret_views, ret_error);
	if (result < 0) {
		ept_live_destroy(live);
		return result;
	}
	for (; live->root_count < ret_views->count; live->root_count++)
		live->roots[live->root_count] = ret_views->view[live->root_count].root;
	*ret_live = live;
	return 0;

out_of_memory:
	ept_live_destroy(live);
	return policy_error_return(&error, ret_error);
}

void ept_live_destroy(struct ept_live *live)
{
	if (!live)
		return;
	ept_builder_finish(&live->builder);
	free(live->marks);
	free(live->ranges);
	free(live);
}

/* A root has no leaves, and a table stays as it is once built, so entries with the same address lead to the
 * same mappings. An entry is written at once: a walk finds the old one or the new one. */
static void rewrite_root(struct ept_live *live, gpa_t root, struct ept_change *change)
{
	const uint64_t *wanted = live->builder.scratch[PAGING_LEVELS - 1];
	uint64_t *entries = tables_at(&live->builder.pool, root);

	for (size_t i = 0; i < PAGING_ENTRIES; i++) {
		if (((entries[i] ^ wanted[i]) & PAGING_ADDRESS) == 0)
			continue;
		__atomic_store_n(&entries[i], wanted[i], __ATOMIC_RELEASE);
		if (change->count < EPT_CHANGE_MAX)
			change->entries[change->count] = gpa_add(root, i * sizeof(*entries));
		change->count++;
	}
}

int ept_live_update(struct ept_live *live, const struct view_policy *policy, uint32_t view,
		    uint32_t region, struct ept_change *ret_change)
{
	struct ept_change change = { .count = 0 };
	int error;

	if (view >= live->root_count || region >= policy->region_count)
		return -ENOENT;
	error = ept_builder_update(&live->builder, policy, &policy->views[view],
				   tables_at(&live->builder.pool, live->roots[view]),
				   &policy->regions[region]);
	if (error)
		return error;
	rewrite_root(live, live->roots[view], &change);
	*ret_change = change;
	return 0;
}

/* Marks the table that an entry refers to, and those that it leads to. */
static void mark(const struct ept_live *live, uint8_t *marks, uint64_t entry)
{
	const uint64_t *entries = ept_builder_table(&live->builder, entry);
	uint8_t *marked;

	if (!entries)
		return;
	marked = &marks[((entry & PAGING_ADDRESS) - live->arena.base.v) / GPA_PAGE_SIZE];
	if (*marked)
		return;
	*marked = 1;
	for (size_t i = 0; i < PAGING_ENTRIES; i++)
		mark(live, marks, entries[i]);
}

/* What the memo remembers may lead to tables that go; it fills again as views change. */
void ept_live_collect(struct ept_live *live)
{
	memset(live->marks, 0, live->arena.size / GPA_PAGE_SIZE);
	for (size_t i = 0; i < live->root_count; i++)
		mark(live, live->marks, live->roots[i].v);
	tables_sweep(&live->builder.pool, live->marks);
	memo_forget(&live->builder.memo);
}

uint64_t ept_live_pages(const struct ept_live *live)
{
	return live->arena.used / GPA_PAGE_SIZE - live->builder.pool.free_count;
}
