/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_POLICY_SOFTEN_H
#define VIEWS_POLICY_SOFTEN_H

#include "views/policy.h"

/* What became of rights: of a region in a view, or, POLICY_NO_INDEX, of the
 * memory that the view has no rule for. Or of #VE, which is not given. */
struct softening {
	uint32_t view, region;
	unsigned asked, given;
	bool ve;
};

typedef void policy_soften_fn(void *data, const struct softening *softening);

/*
 * Replaces rights that the target cannot express by the least ones that it can
 * and that include them: what cannot be withheld is not withheld, and nothing
 * is taken away. Violations that it cannot make #VE exit. Calls `visit` for
 * each change; for #VE, once for a view.
 */
void policy_soften(struct view_policy *policy, const struct view_target *target,
		   policy_soften_fn *visit, void *data);

#endif
