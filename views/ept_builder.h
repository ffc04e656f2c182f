/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_EPT_BUILDER_H
#define VIEWS_EPT_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "views/extent.h"
#include "views/memo.h"
#include "views/policy.h"
#include "views/tables.h"

/*
 * The tree is built from the top down to find what differs and finished from
 * the bottom up, so that each table is complete when it is looked up by
 * content. A range that no extent touches is never entered twice: it is either
 * leaves, computed, or a sub-tree from the memo.
 */
/* What hierarchies are built with, and what is kept to build more of them. */
struct ept_builder {
	const struct view_target *target;
	struct table_pool pool;
	struct memo memo;
	struct extent_list extents;
	uint64_t taken; /* tables added to the pool */
	uint64_t empty; /* the entry of nothing */
	/* One table under construction per level: recursion only descends. */
	uint64_t scratch[PAGING_LEVELS][PAGING_ENTRIES];
};

/* The table that an entry refers to; NULL if it refers to none. What a leaf maps is guest memory, which the
 * arena is not, so leaves need not be told apart. */
uint64_t *ept_builder_table(const struct ept_builder *builder, uint64_t entry);

/* Starts with an empty pool in the arena; target and arena stay the caller's. Ends with
 * ept_builder_finish() if this succeeded. Returns 0 or -ENOMEM. */
int ept_builder_init(struct ept_builder *builder, const struct view_target *target,
		     struct table_arena *arena);
void ept_builder_finish(struct ept_builder *builder);

/*
 * Builds all tables of a view but the root, whose content is then in
 * scratch[PAGING_LEVELS - 1]. The policy is valid. ret_tables counts as of
 * struct ept_view. Returns 0, -ENOSPC or -ENOMEM.
 */
int ept_builder_view(struct ept_builder *builder, const struct view_policy *policy,
		     const struct view *view, uint64_t *ret_tables);

/*
 * The same for a view that was built already and in which one region differs
 * now: `root` is its root as it is. Only the paths to the region are made, the
 * rest is taken over. Returns 0, -ENOSPC or -ENOMEM.
 */
int ept_builder_update(struct ept_builder *builder, const struct view_policy *policy,
		       const struct view *view, const uint64_t *root,
		       const struct view_region *region);

#endif
