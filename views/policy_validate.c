/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

/* Sort keys that lead back to a region or view. */
struct named {
	const char *name;
	uint32_t index;
};

struct placed {
	uint64_t start;
	uint64_t end;
	uint32_t index;
};

/* Equal names sort by index, so that the error names the earlier one first. */
static int compare_named(const void *a, const void *b)
{
	const struct named *left = a;
	const struct named *right = b;
	const int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return (left->index > right->index) - (left->index < right->index);
}

static int compare_placed(const void *a, const void *b)
{
	const struct placed *left = a;
	const struct placed *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* The first pair of equal names, or NULL. */
static const struct named *find_duplicate(struct named *names, size_t count)
{
	qsort(names, count, sizeof(*names), compare_named);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(names[i - 1].name, names[i].name) == 0)
			return &names[i - 1];
	}
	return NULL;
}

static enum policy_error_kind check_view_names(const struct view_policy *policy,
					       struct policy_error *error)
{
	struct named *names = calloc(policy->view_count, sizeof(*names));
	const struct named *pair;

	if (!names)
		return POLICY_ERROR_OUT_OF_MEMORY;
	for (size_t i = 0; i < policy->view_count; i++)
		names[i] = (struct named){ policy->views[i].name, (uint32_t)i };
	pair = find_duplicate(names, policy->view_count);
	if (pair) {
		error->other_view = pair[0].index;
		error->view = pair[1].index;
	}
	free(names);
	return pair ? POLICY_ERROR_VIEW_NAME_TWICE : POLICY_ERROR_INVALID;
}

static enum policy_error_kind
check_region_names(const struct view_policy *policy, struct policy_error *error)
{
	struct named *names = calloc(policy->region_count, sizeof(*names));
	const struct named *pair;

	if (!names)
		return POLICY_ERROR_OUT_OF_MEMORY;
	for (size_t i = 0; i < policy->region_count; i++)
		names[i] = (struct named){ policy->regions[i].name, (uint32_t)i };
	pair = find_duplicate(names, policy->region_count);
	if (pair) {
		error->other_region = pair[0].index;
		error->region = pair[1].index;
	}
	free(names);
	return pair ? POLICY_ERROR_REGION_NAME_TWICE : POLICY_ERROR_INVALID;
}

static enum policy_error_kind check_region(const struct view_region *region,
					   const struct view_target *target)
{
	if (region->size == 0)
		return POLICY_ERROR_REGION_EMPTY;
	if (!gpa_aligned(region->gpa, GPA_PAGE_SIZE) ||
	    region->size % GPA_PAGE_SIZE != 0)
		return POLICY_ERROR_REGION_UNALIGNED;
	if (gpa_wraps(region->gpa, region->size))
		return POLICY_ERROR_REGION_WRAPS;
	if (!layout_contains(&target->memory, region->gpa, region->size))
		return POLICY_ERROR_REGION_OUTSIDE;
	return POLICY_ERROR_INVALID;
}

/* The regions passed check_region(), so their ends do not wrap. */
static enum policy_error_kind check_overlap(const struct view_policy *policy,
					    struct policy_error *error)
{
	enum policy_error_kind kind = POLICY_ERROR_INVALID;
	struct placed *placed = calloc(policy->region_count, sizeof(*placed));

	if (!placed)
		return POLICY_ERROR_OUT_OF_MEMORY;
	for (size_t i = 0; i < policy->region_count; i++) {
		const struct view_region *region = &policy->regions[i];

		placed[i] = (struct placed){
			.start = region->gpa.v,
			.end = region->gpa.v + region->size,
			.index = (uint32_t)i,
		};
	}
	qsort(placed, policy->region_count, sizeof(*placed), compare_placed);
	/* If any two overlap, then two neighbours do. */
	for (size_t i = 1; i < policy->region_count; i++) {
		const struct placed *a = &placed[i - 1];
		const struct placed *b = &placed[i];

		if (b->start < a->end) {
			error->region = a->index > b->index ? a->index : b->index;
			error->other_region =
				a->index > b->index ? b->index : a->index;
			error->gpa = gpa_at(b->start);
			kind = POLICY_ERROR_REGION_OVERLAP;
			break;
		}
	}
	free(placed);
	return kind;
}

static enum policy_error_kind check_regions(const struct view_policy *policy,
					    const struct view_target *target,
					    struct policy_error *error)
{
	enum policy_error_kind kind;

	if (policy->region_count == 0)
		return POLICY_ERROR_INVALID;
	kind = check_region_names(policy, error);
	if (kind != POLICY_ERROR_INVALID)
		return kind;
	for (size_t i = 0; i < policy->region_count; i++) {
		kind = check_region(&policy->regions[i], target);
		if (kind != POLICY_ERROR_INVALID) {
			error->region = (uint32_t)i;
			error->gpa = policy->regions[i].gpa;
			return kind;
		}
	}
	return check_overlap(policy, error);
}

static enum policy_error_kind check_rule(const struct view_policy *policy,
					 const struct view_target *target,
					 const struct view_rule *rule,
					 struct policy_error *error)
{
	if (rule->region >= policy->region_count)
		return POLICY_ERROR_RULE_UNKNOWN_REGION;
	if (rule->remapped) {
		error->gpa = rule->target;
		if (!gpa_aligned(rule->target, GPA_PAGE_SIZE))
			return POLICY_ERROR_REMAP_UNALIGNED;
		if (!layout_contains(&target->memory, rule->target,
				     policy->regions[rule->region].size))
			return POLICY_ERROR_REMAP_OUTSIDE;
	}
	error->gpa = policy->regions[rule->region].gpa;
	error->rights = rule->rights;
	return target->format->check_rights(rule->rights, &target->caps);
}

static enum policy_error_kind check_view(const struct view_policy *policy,
					 const struct view_target *target,
					 const struct view *view,
					 struct policy_error *error)
{
	enum policy_error_kind kind;

	error->rights = view->rights;
	kind = target->format->check_rights(view->rights, &target->caps);
	if (kind != POLICY_ERROR_INVALID)
		return kind;
	error->rights = 0;
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];

		error->region = rule->region;
		if (i > 0 && rule->region <= view->rules[i - 1].region)
			return POLICY_ERROR_RULE_TWICE;
		kind = check_rule(policy, target, rule, error);
		if (kind != POLICY_ERROR_INVALID)
			return kind;
	}
	return POLICY_ERROR_INVALID;
}

static enum policy_error_kind check_views(const struct view_policy *policy,
					  const struct view_target *target,
					  struct policy_error *error)
{
	for (size_t i = 0; i < policy->view_count; i++) {
		struct policy_error found = policy_error_of(POLICY_ERROR_INVALID);

		found.kind = check_view(policy, target, &policy->views[i], &found);
		if (found.kind != POLICY_ERROR_INVALID) {
			found.view = (uint32_t)i;
			*error = found;
			return found.kind;
		}
	}
	return POLICY_ERROR_INVALID;
}

int policy_validate(const struct view_policy *policy,
		    const struct view_target *target,
		    struct policy_error *ret_error)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
	int result;

	if (target->caps.maxphyaddr < PAGING_MAXPHYADDR_MIN ||
	    target->caps.maxphyaddr > PAGING_MAXPHYADDR_MAX) {
		error.kind = POLICY_ERROR_WIDTH_UNKNOWN;
		return policy_error_return(&error, ret_error);
	}
	result = layout_validate(&target->memory,
				 paging_address_bits(&target->caps), ret_error);
	if (result < 0)
		return result;
	if (policy->view_count == 0)
		error.kind = POLICY_ERROR_NO_VIEWS;
	else if (policy->view_count > VIEW_MAX)
		error.kind = POLICY_ERROR_TOO_MANY_VIEWS;
	else
		error.kind = check_view_names(policy, &error);
	if (error.kind == POLICY_ERROR_INVALID)
		error.kind = check_regions(policy, target, &error);
	if (error.kind == POLICY_ERROR_INVALID)
		error.kind = check_views(policy, target, &error);
	if (error.kind == POLICY_ERROR_INVALID)
		return 0;
	return policy_error_return(&error, ret_error);
}
