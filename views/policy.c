/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Makes room for one more element in a growing array. Returns the array, which
 * may have moved, or NULL with the old one intact. Indexes have 32 bits, so the
 * size does not overflow.
 */
static void *grow(void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 4;
	void *grown;

	if (count < *capacity)
		return array;
	grown = realloc(array, wanted * size);
	if (grown)
		*capacity = wanted;
	return grown;
}

static int check_name(const char *name)
{
	const size_t length = strlen(name);

	if (length == 0)
		return -EINVAL;
	return length < VIEW_NAME_SIZE ? 0 : -ENAMETOOLONG;
}

int policy_add_region(struct view_policy *policy, const char *name, gpa_t gpa,
		      uint64_t size, uint32_t *ret_index)
{
	const int error = check_name(name);
	struct view_region *regions;
	struct view_region *region;

	if (error)
		return error;
	if (policy->region_count >= POLICY_NO_INDEX)
		return -ENOMEM;
	regions = grow(policy->regions, policy->region_count,
		       &policy->region_capacity, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	policy->regions = regions;
	region = &regions[policy->region_count];
	*region = (struct view_region){ .gpa = gpa, .size = size };
	memcpy(region->name, name, strlen(name));
	if (ret_index)
		*ret_index = (uint32_t)policy->region_count;
	policy->region_count++;
	return 0;
}

int policy_add_view(struct view_policy *policy, const char *name,
		    unsigned rights, uint32_t *ret_index)
{
	const int error = check_name(name);
	struct view *views;
	struct view *view;

	if (error)
		return error;
	if (policy->view_count >= POLICY_NO_INDEX)
		return -ENOMEM;
	views = grow(policy->views, policy->view_count, &policy->view_capacity,
		     sizeof(*views));
	if (!views)
		return -ENOMEM;
	policy->views = views;
	view = &views[policy->view_count];
	*view = (struct view){ .rights = rights };
	memcpy(view->name, name, strlen(name));
	if (ret_index)
		*ret_index = (uint32_t)policy->view_count;
	policy->view_count++;
	return 0;
}

/* Index of the first rule whose region is not below the given one. */
static size_t rule_position(const struct view *view, uint32_t region)
{
	size_t low = 0;
	size_t high = view->rule_count;

	/* Rules mostly arrive in the order of the regions. */
	if (high > 0 && view->rules[high - 1].region < region)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (view->rules[middle].region < region)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Finds the rule of a region in a view, or adds one that changes nothing. */
static int obtain_rule(struct view_policy *policy, uint32_t view_index,
		       uint32_t region, struct view_rule **ret_rule)
{
	struct view *view;
	struct view_rule *rules;
	size_t at;

	if (view_index >= policy->view_count || region >= policy->region_count)
		return -ENOENT;
	view = &policy->views[view_index];
	at = rule_position(view, region);
	if (at == view->rule_count || view->rules[at].region != region) {
		rules = grow(view->rules, view->rule_count,
			     &view->rule_capacity, sizeof(*rules));
		if (!rules)
			return -ENOMEM;
		view->rules = rules;
		memmove(&rules[at + 1], &rules[at],
			(view->rule_count - at) * sizeof(*rules));
		rules[at] = (struct view_rule){
			.region = region,
			.rights = view->rights,
			.ve = view->ve,
		};
		view->rule_count++;
	}
	*ret_rule = &view->rules[at];
	return 0;
}

int policy_set_rights(struct view_policy *policy, uint32_t view,
		      uint32_t region, unsigned rights)
{
	struct view_rule *rule;
	const int error = obtain_rule(policy, view, region, &rule);

	if (error)
		return error;
	rule->rights = rights;
	return 0;
}

int policy_set_remap(struct view_policy *policy, uint32_t view, uint32_t region,
		     gpa_t target)
{
	struct view_rule *rule;
	const int error = obtain_rule(policy, view, region, &rule);

	if (error)
		return error;
	rule->remapped = true;
	rule->target = target;
	return 0;
}

int policy_set_ve(struct view_policy *policy, uint32_t view, uint32_t region,
		  bool ve)
{
	struct view_rule *rule;
	const int error = obtain_rule(policy, view, region, &rule);

	if (error)
		return error;
	rule->ve = ve;
	return 0;
}

bool view_has_ve(const struct view *view)
{
	for (size_t i = 0; i < view->rule_count; i++)
		if (view->rules[i].ve)
			return true;
	return view->ve;
}

bool policy_has_ve(const struct view_policy *policy)
{
	for (size_t i = 0; i < policy->view_count; i++)
		if (view_has_ve(&policy->views[i]))
			return true;
	return false;
}

const struct view_rule *policy_rule(const struct view_policy *policy,
				    uint32_t view_index, uint32_t region)
{
	const struct view *view = &policy->views[view_index];
	const size_t at = rule_position(view, region);

	return at < view->rule_count && view->rules[at].region == region
		       ? &view->rules[at]
		       : NULL;
}

int policy_find_region(const struct view_policy *policy, const char *name,
		       uint32_t *ret_index)
{
	for (size_t i = 0; i < policy->region_count; i++) {
		if (strcmp(policy->regions[i].name, name) == 0) {
			*ret_index = (uint32_t)i;
			return 0;
		}
	}
	return -ENOENT;
}

/* A copy of `count` elements with room for `room`; of none, for one, so that NULL means failure. */
static void *copy_array(const void *array, size_t count, size_t room, size_t size)
{
	void *copy = calloc(room ? room : 1, size);

	if (copy && count)
		memcpy(copy, array, count * size);
	return copy;
}

int policy_copy(const struct view_policy *policy, struct view_policy *ret_copy)
{
	struct view_policy copy = {
		.regions = copy_array(policy->regions, policy->region_count,
				      policy->region_count, sizeof(*policy->regions)),
		.region_count = policy->region_count,
		.region_capacity = policy->region_count,
		.views = copy_array(policy->views, policy->view_count, policy->view_count,
				    sizeof(*policy->views)),
		.view_capacity = policy->view_count,
	};

	/* Views count from where their rules are their own. */
	for (; copy.regions && copy.views && copy.view_count < policy->view_count;
	     copy.view_count++) {
		struct view *view = &copy.views[copy.view_count];

		view->rules = copy_array(view->rules, view->rule_count, policy->region_count,
					 sizeof(*view->rules));
		view->rule_capacity = policy->region_count;
		if (!view->rules)
			break;
	}
	if (!copy.regions || copy.view_count < policy->view_count) {
		policy_finish(&copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

void policy_finish(struct view_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->view_count; i++)
		free(policy->views[i].rules);
	free(policy->views);
	free(policy->regions);
	*policy = (struct view_policy){ 0 };
}
