/* SPDX-License-Identifier: GPL-2.0-only */
/* The views that a guest gets when nobody names a policy. */
#ifndef VIEWS_DEFAULT_POLICY_H
#define VIEWS_DEFAULT_POLICY_H

#include "policy.h"

/* Frames that the policy remaps to: page n of `frames` shows the tag of view n + 1. */
#define DEFAULT_POLICY_VIEWS 4

/*
 * Four views that differ in the pages of the window at `window` (guestfw/abi.h, SS_WINDOW_*):
 *   0 kernel   reads and writes everything
 *   1 driver   its own tag, the shared page read-only
 *   2 guest    its own tag, the shared page read-only, the private page absent
 *   3 bare     its own tag, neither shared nor private page
 * Returns 0 or -ENOMEM; policy_finish() is due in both cases.
 */
int default_policy(struct view_policy *policy, gpa_t window, gpa_t frames);

#endif
