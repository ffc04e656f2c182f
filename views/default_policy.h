/* SPDX-License-Identifier: GPL-2.0-only */
/* The views that a guest gets when nobody names a policy. */
#ifndef VIEWS_DEFAULT_POLICY_H
#define VIEWS_DEFAULT_POLICY_H

#include "views/policy.h"

#define DEFAULT_POLICY_VIEWS 4

/* Where in guest memory the default views differ. */
struct default_policy_layout {
	gpa_t window;            /* SS_WINDOW_PAGES pages (guestfw/abi.h) */
	gpa_t frames;            /* one page per view after the first: its tag page */
	struct gpa_range kernel; /* the guest's read-only part, whole pages; size 0: it has none */
	bool ve;                 /* what views forbid in the window can be #VE */
};

/*
 * Views that differ in the pages of the window and in the guest's read-only part:
 *   0 kernel   reads and writes everything
 *   1 driver   a private page of its own; the kernel and the shared page read-only
 *   2 guest    the same without the private page
 *   3 bare     neither shared nor private page, the kernel read-only
 *   4 ...      as view 0: there to be switched to
 * Each view from 1 has its own tag page. Returns 0, -EINVAL for a number of views other than 4 to
 * VIEW_MAX, or -ENOMEM; policy_finish() is due in all cases.
 */
int default_policy(struct view_policy *policy, const struct default_policy_layout *layout,
		   unsigned views);

#endif
