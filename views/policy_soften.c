/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/policy_soften.h"

/* In the order of preference: fewest rights first. */
static const unsigned additions[] = {
	0,
	VIEW_READ,
	VIEW_EXECUTE,
	VIEW_READ | VIEW_EXECUTE,
	VIEW_WRITE,
	VIEW_READ | VIEW_WRITE,
	VIEW_WRITE | VIEW_EXECUTE,
	VIEW_RIGHTS_ALL,
};

#define ADDITION_COUNT (sizeof(additions) / sizeof(additions[0]))

static unsigned soften(const struct view_target *target, unsigned rights)
{
	for (size_t i = 0; i < ADDITION_COUNT; i++) {
		const unsigned wider = rights | additions[i];

		if (target->format->check_rights(wider, &target->caps) ==
		    POLICY_ERROR_INVALID)
			return wider;
	}
	return rights;
}

/* All violations of a view. */
static void let_exit(struct view *view)
{
	view->ve = false;
	for (size_t i = 0; i < view->rule_count; i++)
		view->rules[i].ve = false;
}

void policy_soften(struct view_policy *policy, const struct view_target *target,
		   policy_soften_fn *visit, void *data)
{
	for (uint32_t v = 0; v < policy->view_count; v++) {
		struct view *view = &policy->views[v];
		struct softening change = { v, POLICY_NO_INDEX, view->rights,
					    0, true };

		if (view_has_ve(view) && !paging_empty(target->format, &target->caps)) {
			let_exit(view);
			visit(data, &change);
		}
		change.ve = false;

		change.given = view->rights = soften(target, view->rights);
		if (change.given != change.asked)
			visit(data, &change);
		for (size_t i = 0; i < view->rule_count; i++) {
			struct view_rule *rule = &view->rules[i];

			change.region = rule->region;
			change.asked = rule->rights;
			change.given = rule->rights =
				soften(target, rule->rights);
			if (change.given != change.asked)
				visit(data, &change);
		}
	}
}
