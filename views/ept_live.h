/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_EPT_LIVE_H
#define VIEWS_EPT_LIVE_H

#include "views/ept.h"

/*
 * Hierarchies of views whose rights may change while processors use them. Each
 * view has a root of its own that stays where it is, so pointers and lists stay
 * as they are. A change builds new tables where the view differs now and then
 * rewrites entries of the root; tables that a processor may be walking are never
 * written. What processors have cached of the old ones is the caller's concern.
 */
struct ept_live;

/* Root entries that an update has rewritten. More than these are only counted. */
#define EPT_CHANGE_MAX 8

struct ept_change {
	size_t count;
	gpa_t entries[EPT_CHANGE_MAX];
};

/*
 * As ept_build(), and keeps what it takes to change the views. The arena is the
 * object's from then on; the ranges of the target are copied. Changes then allocate
 * nothing. On failure everything is untouched.
 */
int ept_live_create(const struct view_policy *policy, const struct view_target *target,
		    const struct table_arena *arena, struct ept_views *ret_views,
		    struct ept_live **ret_live, struct policy_error *ret_error);

/* NULL is allowed. */
void ept_live_destroy(struct ept_live *live);

/*
 * Makes the tables of a view what the policy says now of one region; of the
 * others nothing has changed. The cost is that of the paths to the region,
 * whatever else the views are. Returns 0; -ENOENT; -ENOSPC if no page is left:
 * then ept_live_collect() may find some; or -ENOMEM. On failure the view is as
 * it was.
 */
int ept_live_update(struct ept_live *live, const struct view_policy *policy, uint32_t view,
		    uint32_t region, struct ept_change *ret_change);

/*
 * Finds the tables that no view leads to any more; their pages will be written
 * again. The caller sees to it that no processor has anything of them cached.
 */
void ept_live_collect(struct ept_live *live);

/* Pages of the arena that a table is in, those that no view leads to any more too. */
uint64_t ept_live_pages(const struct ept_live *live);

#endif
