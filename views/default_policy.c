/* SPDX-License-Identifier: GPL-2.0-only */
#include "default_policy.h"

#include <errno.h>
#include <stdio.h>

#include "guestfw/abi.h"

/* Comes after the pages of the window. */
#define REGION_KERNEL SS_WINDOW_PAGES

static const char *const region_names[SS_WINDOW_PAGES] = {
	[SS_WINDOW_TAG] = "window.tag",
	[SS_WINDOW_SHARED] = "window.shared",
	[SS_WINDOW_PRIVATE] = "window.private",
};

static const struct {
	const char *name;
	unsigned shared, private_;
} rows[DEFAULT_POLICY_VIEWS] = {
	{"kernel", VIEW_RIGHTS_ALL, VIEW_RIGHTS_ALL},
	{"driver", VIEW_READ, VIEW_RIGHTS_ALL},
	{"guest", VIEW_READ, 0},
	{"bare", 0, 0},
};

static int add_view(struct view_policy *policy, unsigned index,
		    const struct default_policy_layout *layout)
{
	bool named = index < DEFAULT_POLICY_VIEWS;
	char number[VIEW_NAME_SIZE];
	int rc;

	snprintf(number, sizeof(number), "view%u", index);
	rc = policy_add_view(policy, named ? rows[index].name : number, VIEW_RIGHTS_ALL, NULL);
	if (rc != 0 || index == 0)
		return rc;
	rc = policy_set_remap(policy, index, SS_WINDOW_TAG,
			      gpa_add(layout->frames, (index - 1) * GPA_PAGE_SIZE));
	if (rc != 0 || !named)
		return rc;
	rc = policy_set_rights(policy, index, SS_WINDOW_SHARED, rows[index].shared);
	if (rc == 0)
		rc = policy_set_rights(policy, index, SS_WINDOW_PRIVATE, rows[index].private_);
	if (rc == 0 && layout->kernel.size != 0)
		rc = policy_set_rights(policy, index, REGION_KERNEL, VIEW_READ | VIEW_EXECUTE);
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
