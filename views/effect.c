/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/effect.h"

static bool contains(const struct view_region *region, gpa_t gpa)
{
	return gpa.v >= region->gpa.v && gpa.v - region->gpa.v < region->size;
}

struct view_effect policy_effect(const struct view_policy *policy, uint32_t view_index, gpa_t gpa)
{
	const struct view *view;

	if (!policy || view_index >= policy->view_count)
		return (struct view_effect){.target = gpa};
	view = &policy->views[view_index];
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];
		const struct view_region *region = &policy->regions[rule->region];

		if (contains(region, gpa))
			return (struct view_effect){
				.rights = rule->rights,
				.ve = rule->ve,
				.target = rule->remapped
						  ? gpa_add(rule->target, gpa.v - region->gpa.v)
						  : gpa,
			};
	}
	return (struct view_effect){view->rights, view->ve, gpa};
}

bool policy_grants(const struct view_policy *policy, uint32_t view, gpa_t gpa, unsigned rights,
		   gpa_t *ret_target)
{
	struct view_effect effect = policy_effect(policy, view, gpa);

	*ret_target = effect.target;
	return (effect.rights & rights) == rights;
}

/* Where no region is, no rule need be looked at. */
bool policy_all_grant(const struct view_policy *policy, gpa_t gpa, unsigned rights)
{
	bool plain = policy_region_at(policy, gpa) == POLICY_NO_INDEX;

	for (uint32_t i = 0; i < policy->view_count; i++) {
		gpa_t target = gpa;

		if (plain ? (policy->views[i].rights & rights) != rights
			  : !policy_grants(policy, i, gpa, rights, &target) ||
				    !gpa_equal(target, gpa))
			return false;
	}
	return true;
}

uint32_t policy_region_at(const struct view_policy *policy, gpa_t gpa)
{
	for (size_t i = 0; policy && i < policy->region_count; i++)
		if (contains(&policy->regions[i], gpa))
			return (uint32_t)i;
	return POLICY_NO_INDEX;
}
