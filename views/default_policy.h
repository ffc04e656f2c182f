/* SPDX-License-Identifier: GPL-2.0-only */
/* The views that a guest gets when nobody names a policy. */
#ifndef VIEWS_DEFAULT_POLICY_H
#define VIEWS_DEFAULT_POLICY_H

#include "policy.h"

#define DEFAULT_POLICY_VIEWS 4

/*
 * Views that differ in the pages of the window at `window` (guestfw/abi.h, SS_WINDOW_*):
 *   0 kernel   reads and writes everything
 *   1 driver   its own tag, the shared page read-only
 *   2 guest    its own tag, the shared page read-only, the private page absent
 *   3 bare     its own tag, neither shared nor private page
 *   4 ...      its own tag, else as view 0: there to be switched to
 * View n from 1 shows page n - 1 of `frames` as its tag page. Returns 0, -EINVAL for a number of
 * views other than 4 to VIEW_MAX, or -ENOMEM; policy_finish() is due in all cases.
 */
int default_policy(struct view_policy *policy, gpa_t window, gpa_t frames, unsigned views);

#endif
