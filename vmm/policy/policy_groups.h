/* SPDX-License-Identifier: GPL-2.0-only */
/* The groups of a policy file, and those that libconfig reads in their place. */
#ifndef VMM_POLICY_POLICY_GROUPS_H
#define VMM_POLICY_POLICY_GROUPS_H

#include "vmm/policy/policy_token.h"

struct config_setting_t;

/*
 * Makes the text that libconfig reads. It compares each name with all others of the group, so a large group is cut
 * into small ones here, and that no two names are the same is looked at here. The lines stay what they are.
 * Returns 0, -ENOMEM, or -EINVAL after having reported the fault.
 */
int policy_groups_prepare(struct policy_text *text, struct diagnostics *diagnostics);

/* The settings of a group or list, as the file has them; both have been placed, or are being. */
int policy_groups_length(const struct policy_text *text, const struct config_setting_t *group);
struct config_setting_t *policy_groups_elem(const struct policy_text *text,
					    const struct config_setting_t *group, int index);

/* The member of a group by that name, or NULL. */
struct config_setting_t *policy_groups_member(const struct policy_text *text,
					      const struct config_setting_t *group, const char *name);

#endif
