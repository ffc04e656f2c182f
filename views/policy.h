/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_POLICY_H
#define VIEWS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/eptp.h"
#include "views/gpa.h"
#include "views/layout.h"
#include "views/paging.h"
#include "views/policy_error.h"

/* As many views as an EPTP list has entries. */
#define VIEW_MAX EPTP_LIST_ENTRIES

#define VIEW_NAME_SIZE 48

struct view_region {
	char name[VIEW_NAME_SIZE];
	gpa_t gpa;
	uint64_t size;
};

/* How one view treats one region. Regions without a rule get its defaults. */
struct view_rule {
	uint32_t region;
	unsigned rights;
	bool ve; /* what the rights forbid is #VE for the guest, without an exit */
	bool remapped;
	gpa_t target; /* what the first page of the region shows, if remapped */
};

struct view {
	char name[VIEW_NAME_SIZE];
	unsigned rights; /* of guest memory without a rule */
	bool ve;	 /* there */
	struct view_rule *rules; /* ascending by region, one per region at most */
	size_t rule_count;
	size_t rule_capacity;
};

/*
 * What each view shows of guest memory. Starts zeroed, ends with
 * policy_finish(). The functions that add to it check only what they need to
 * store; policy_validate() says whether it makes sense.
 */
struct view_policy {
	struct view_region *regions;
	size_t region_count;
	size_t region_capacity;
	struct view *views;
	size_t view_count;
	size_t view_capacity;
};

/* What a policy is to be built for. */
struct view_target {
	struct guest_memory memory;
	/* Where it is: what views show of the first `moved` bytes lies `offset` bytes further in the memory that
	 * the tables point to. Both are multiples of a page; 0 for a guest that is alone there. */
	uint64_t moved, offset;
	const struct paging_format *format;
	struct paging_caps caps;
};

/*
 * Adds a region or a view. Returns 0, -ENAMETOOLONG, -EINVAL for an empty name,
 * or -ENOMEM. The index goes to ret_index, which may be NULL.
 */
int policy_add_region(struct view_policy *policy, const char *name, gpa_t gpa,
		      uint64_t size, uint32_t *ret_index);
int policy_add_view(struct view_policy *policy, const char *name,
		    unsigned rights, uint32_t *ret_index);

/*
 * Sets the rights, the remap target, or whether violations are #VE, of a region
 * in a view; the others keep their values, at first those of the view. Returns
 * 0, -ENOENT if there is no such view or region, or -ENOMEM.
 */
int policy_set_rights(struct view_policy *policy, uint32_t view,
		      uint32_t region, unsigned rights);
int policy_set_remap(struct view_policy *policy, uint32_t view, uint32_t region,
		     gpa_t target);
int policy_set_ve(struct view_policy *policy, uint32_t view, uint32_t region,
		  bool ve);

/* Whether any violation is #VE, in one view or in all. */
bool view_has_ve(const struct view *view);
bool policy_has_ve(const struct view_policy *policy);

/* The rule of a region in a view, both of which are there; NULL if the view's defaults apply. */
const struct view_rule *policy_rule(const struct view_policy *policy,
				    uint32_t view, uint32_t region);

/* Finds by name. Returns 0 or -ENOENT. */
int policy_find_region(const struct view_policy *policy, const char *name,
		       uint32_t *ret_index);

/* Takes a fault; returns whether to look for more. */
typedef bool policy_fault_fn(void *data, const struct policy_error *error);

/*
 * Checks the policy against a target and calls `visit` for every fault, in this
 * order: address width, guest memory, views, regions, rules. Returns the number
 * of calls.
 */
size_t policy_check(const struct view_policy *policy,
		    const struct view_target *target, policy_fault_fn *visit,
		    void *data);

/*
 * Checks the policy against a target. Returns 0, or a negative errno with what
 * is wrong and where in ret_error, which may be NULL and is untouched on
 * success: the first fault that policy_check() finds.
 */
int policy_validate(const struct view_policy *policy,
		    const struct view_target *target,
		    struct policy_error *ret_error);

/* Makes `ret_copy`, which holds nothing yet, equal. Changing rights of regions that are there allocates
 * nothing then. Returns 0 or -ENOMEM. */
int policy_copy(const struct view_policy *policy, struct view_policy *ret_copy);

/* Frees what the policy holds and zeroes it. NULL is allowed. */
void policy_finish(struct view_policy *policy);

#endif
