/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy says about one page in one view: the slow, obvious way to ask it. */
#ifndef VIEWS_EFFECT_H
#define VIEWS_EFFECT_H

#include "policy.h"

struct view_effect {
	unsigned rights; /* VIEW_READ, VIEW_WRITE, VIEW_EXECUTE */
	gpa_t target;    /* what is shown: the address itself unless remapped */
};

/* Without such a view nothing is visible. */
struct view_effect policy_effect(const struct view_policy *policy, uint32_t view, gpa_t gpa);

/* The region that holds an address, or POLICY_NO_INDEX. */
uint32_t policy_region_at(const struct view_policy *policy, gpa_t gpa);

#endif
