/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/default_policy.h"

#include <errno.h>
#include <stdio.h>

#include "guestfw/abi.h"

/* The region of the kernel comes after these. */
static const char *const region_names[SS_WINDOW_PAGES] = {
	[SS_WINDOW_TAG] = "window.tag",
	[SS_WINDOW_SHARED] = "window.shared",
	[SS_WINDOW_PRIVATE] = "window.private",
};

static const struct {
	const char *name;
	unsigned shared, private_, kernel;
} rows[DEFAULT_POLICY_VIEWS] = {
	{"kernel", VIEW_RIGHTS_ALL, VIEW_RIGHTS_ALL, VIEW_RIGHTS_ALL},
	{"driver", VIEW_READ, VIEW_RIGHTS_ALL, VIEW_READ | VIEW_EXECUTE},
	{"guest", VIEW_READ, 0, VIEW_READ | VIEW_EXECUTE},
	{"bare", 0, 0, VIEW_READ | VIEW_EXECUTE},
};

/* How a view, not the first, differs in a region. */
static int add_rule(struct view_policy *policy, unsigned index, uint32_t region,
		    const struct default_policy_layout *layout)
{
	if (region == SS_WINDOW_TAG)
		return policy_set_remap(policy, index, region,
					gpa_add(layout->frames, (index - 1) * GPA_PAGE_SIZE));
	if (index >= DEFAULT_POLICY_VIEWS)
		return 0;
	if (layout->ve && region <= SS_WINDOW_PRIVATE && policy_set_ve(policy, index, region, true) != 0)
		return -ENOMEM;
	return policy_set_rights(policy, index, region,
				 region == SS_WINDOW_SHARED    ? rows[index].shared
				 : region == SS_WINDOW_PRIVATE ? rows[index].private_
							       : rows[index].kernel);
}

static int add_view(struct view_policy *policy, unsigned index,
		    const struct default_policy_layout *layout)
{
	bool named = index < DEFAULT_POLICY_VIEWS;
	char number[VIEW_NAME_SIZE];
	int rc;

	snprintf(number, sizeof(number), "view%u", index);
	rc = policy_add_view(policy, named ? rows[index].name : number, VIEW_RIGHTS_ALL, NULL);
	for (uint32_t region = 0; index > 0 && rc == 0 && region < policy->region_count; region++)
		rc = add_rule(policy, index, region, layout);
	return rc;
}

int default_policy(struct view_policy *policy, const struct default_policy_layout *layout,
		   unsigned views)
{
	int rc = 0;

	*policy = (struct view_policy){0};
	if (views < DEFAULT_POLICY_VIEWS || views > VIEW_MAX)
		return -EINVAL;
	for (unsigned i = 0; rc == 0 && i < SS_WINDOW_PAGES; i++)
		rc = policy_add_region(policy, region_names[i],
				       gpa_add(layout->window, i * GPA_PAGE_SIZE), GPA_PAGE_SIZE,
				       NULL);
	if (rc == 0 && layout->kernel.size != 0)
		rc = policy_add_region(policy, "kernel", layout->kernel.start, layout->kernel.size,
				       NULL);
	for (unsigned i = 0; rc == 0 && i < views; i++)
		rc = add_view(policy, i, layout);
	return rc;
}
