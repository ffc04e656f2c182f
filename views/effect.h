/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy says about one page in one view: the slow, obvious way to ask it. */
#ifndef VIEWS_EFFECT_H
#define VIEWS_EFFECT_H

#include "views/policy.h"

struct view_effect {
	unsigned rights; /* VIEW_READ, VIEW_WRITE, VIEW_EXECUTE */
	bool ve;         /* what they forbid is #VE */
	gpa_t target;    /* what is shown: the address itself unless remapped */
};

/* Without such a view nothing is visible. */
struct view_effect policy_effect(const struct view_policy *policy, uint32_t view, gpa_t gpa);

/*
 * Whether a view grants all these rights at an address; what it shows there goes to *ret_target. Whoever
 * acts on memory for a guest asks this, once for each page.
 */
bool policy_grants(const struct view_policy *policy, uint32_t view, gpa_t gpa, unsigned rights,
		   gpa_t *ret_target);

/* Whether every view does, and shows the address itself: then it does not matter which one is active. */
bool policy_all_grant(const struct view_policy *policy, gpa_t gpa, unsigned rights);

/* The region that holds an address, or POLICY_NO_INDEX. */
uint32_t policy_region_at(const struct view_policy *policy, gpa_t gpa);

/*
 * Error code of the page fault that stands for an access, VIEW_READ, VIEW_WRITE or VIEW_EXECUTE, which a view forbids
 * (Intel SDM vol. 3A, 4.7); `walk`: it was to the guest's page tables. To AMD's processors every such access is a write
 * (APM vol. 2, 15.25.6), so of these that bit says nothing.
 */
static inline uint32_t view_fault_code(unsigned access, bool walk, bool user)
{
	enum { PRESENT = 1, WRITE = 2, USER = 4, FETCH = 16 };

	return PRESENT | (access == VIEW_WRITE && !walk ? WRITE : 0) | (access == VIEW_EXECUTE ? FETCH : 0) |
	       (user ? USER : 0);
}

#endif
