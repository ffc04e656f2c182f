/* SPDX-License-Identifier: GPL-2.0-only */
#include "effect.h"

static bool contains(const struct view_region *region, gpa_t gpa)
{
	return gpa.v >= region->gpa.v && gpa.v - region->gpa.v < region->size;
}

struct view_effect policy_effect(const struct view_policy *policy, uint32_t view_index, gpa_t gpa)
{
	const struct view *view;

	if (!policy || view_index >= policy->view_count)
		return (struct view_effect){0, gpa};
	view = &policy->views[view_index];
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];
		const struct view_region *region = &policy->regions[rule->region];

		if (contains(region, gpa))
			return (struct view_effect){
				.rights = rule->rights,
				.target = rule->remapped
						  ? gpa_add(rule->target, gpa.v - region->gpa.v)
						  : gpa,
			};
	}
	return (struct view_effect){view->rights, gpa};
}

uint32_t policy_region_at(const struct view_policy *policy, gpa_t gpa)
{
	for (size_t i = 0; policy && i < policy->region_count; i++)
		if (contains(&policy->regions[i], gpa))
			return (uint32_t)i;
	return POLICY_NO_INDEX;
}
