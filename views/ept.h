/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_EPT_H
#define VIEWS_EPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/eptp.h"
#include "views/gpa.h"
#include "views/policy.h"
#include "views/policy_error.h"
#include "views/tables.h"

/* The second-level hierarchy of one view, EPT or NPT. */
struct ept_view {
	gpa_t root;
	uint64_t pointer; /* EPTP or nested CR3 */
	uint64_t tables;  /* tables that a walk from the root can reach, counted
			     once for each entry that refers to them */
	uint64_t own;     /* tables that no earlier view had */
};

struct ept_views {
	size_t count;
	struct ept_view view[VIEW_MAX]; /* in the order of the policy */
	uint64_t tables_total;    /* pages taken from the arena: sum of own */
	uint64_t tables_unshared; /* what separate hierarchies need: sum of tables */
};

/*
 * Builds one hierarchy per view of the policy for the target, with tables in
 * the arena, which continues at its used mark.
 *
 * Leaves are as large as the capabilities, the policy and the alignment of
 * remap targets permit, and write-back. Addresses outside guest memory and
 * guest memory that a view has no rights to have entries of paging_empty(), or
 * of 0 if violations there are #VE. Equal sub-trees exist once. The cost of a
 * view is that of the tables on the paths to its rules, whatever the size of
 * guest memory.
 *
 * The arena must not overlap the guest memory of the target: a guest that can
 * write the tables can give itself any right.
 *
 * Returns 0, or a negative errno with the reason in ret_error, which may be
 * NULL and is untouched on success: everything policy_validate() refuses, the
 * ARENA_* rows, -ENOSPC if the arena is full, -ENOMEM. On failure ret_views and
 * the arena's used mark are untouched.
 */
int ept_build(const struct view_policy *policy,
	      const struct view_target *target, struct table_arena *arena,
	      struct ept_views *ret_views, struct policy_error *ret_error);

/* The parts of ept_build(), for who keeps the builder (ept_builder.h). */
struct ept_builder;

/* What ept_build() checks before it builds. */
int ept_build_check(const struct view_policy *policy, const struct view_target *target,
		    const struct table_arena *arena, struct policy_error *ret_error);

/*
 * Builds every view of the policy, which was checked. With own roots no two
 * views have one root, even if they are equal. On failure ret_views is untouched.
 */
int ept_build_views(struct ept_builder *builder, const struct view_policy *policy,
		    bool own_roots, struct ept_views *ret_views,
		    struct policy_error *ret_error);

/* Tables of a view that an earlier view already had. */
uint64_t ept_view_shared(const struct ept_view *view);

/*
 * Fills an EPTP list: entry n is the pointer of view n, the rest is 0, which is
 * no valid EPTP, so that switching to it exits (Intel SDM volume 3C, 26.5.6.3).
 */
void eptp_list_build(uint64_t ret_list[EPTP_LIST_ENTRIES],
		     const struct ept_views *views);

#endif
