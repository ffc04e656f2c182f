/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/policy.h"

#include <stdlib.h>
#include <string.h>

/* Faults on their way to who asked for them. */
struct checker {
	const struct view_policy *policy;
	const struct view_target *target;
	policy_fault_fn *visit;
	void *data;
	bool stopped;
	size_t faults;
};

static void fault(struct checker *checker, const struct policy_error *error)
{
	if (checker->stopped)
		return;
	checker->faults++;
	checker->stopped = !checker->visit(checker->data, error);
}

/* For faults that concern nothing in particular. */
static void fault_of(struct checker *checker, enum policy_error_kind kind)
{
	const struct policy_error error = policy_error_of(kind);

	fault(checker, &error);
}

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

/* Names of views or of regions, by the error that two equal ones are. */
static void check_names(struct checker *checker, enum policy_error_kind kind)
{
	const struct view_policy *policy = checker->policy;
	const bool views = kind == POLICY_ERROR_VIEW_NAME_TWICE;
	const size_t count = views ? policy->view_count : policy->region_count;
	struct named *names = calloc(count, sizeof(*names));

	if (!names) {
		fault_of(checker, POLICY_ERROR_OUT_OF_MEMORY);
		return;
	}
	for (size_t i = 0; i < count; i++)
		names[i] = (struct named){ views ? policy->views[i].name : policy->regions[i].name,
					   (uint32_t)i };
	qsort(names, count, sizeof(*names), compare_named);
	for (size_t i = 1; i < count; i++) {
		struct policy_error error = policy_error_of(kind);

		if (strcmp(names[i - 1].name, names[i].name) != 0)
			continue;
		if (views) {
			error.other_view = names[i - 1].index;
			error.view = names[i].index;
		} else {
			error.other_region = names[i - 1].index;
			error.region = names[i].index;
		}
		fault(checker, &error);
	}
	free(names);
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

/* Only regions that pass check_region(), whose ends do not wrap. */
static void check_overlap(struct checker *checker)
{
	const struct view_policy *policy = checker->policy;
	struct placed *placed = calloc(policy->region_count, sizeof(*placed));
	size_t count = 0;

	if (!placed) {
		fault_of(checker, POLICY_ERROR_OUT_OF_MEMORY);
		return;
	}
	for (size_t i = 0; i < policy->region_count; i++) {
		const struct view_region *region = &policy->regions[i];

		if (check_region(region, checker->target) !=
		    POLICY_ERROR_INVALID)
			continue;
		placed[count++] = (struct placed){
			.start = region->gpa.v,
			.end = region->gpa.v + region->size,
			.index = (uint32_t)i,
		};
	}
	qsort(placed, count, sizeof(*placed), compare_placed);
	/* If any two overlap, then two neighbours do. */
	for (size_t i = 1; i < count; i++) {
		struct policy_error error =
			policy_error_of(POLICY_ERROR_REGION_OVERLAP);
		const struct placed *a = &placed[i - 1];
		const struct placed *b = &placed[i];

		if (b->start >= a->end)
			continue;
		error.region = a->index > b->index ? a->index : b->index;
		error.other_region = a->index > b->index ? b->index : a->index;
		error.gpa = gpa_at(b->start);
		fault(checker, &error);
	}
	free(placed);
}

static void check_regions(struct checker *checker)
{
	const struct view_policy *policy = checker->policy;

	if (policy->region_count == 0)
		return;
	check_names(checker, POLICY_ERROR_REGION_NAME_TWICE);
	for (size_t i = 0; i < policy->region_count; i++) {
		struct policy_error error = policy_error_of(
			check_region(&policy->regions[i], checker->target));

		if (error.kind == POLICY_ERROR_INVALID)
			continue;
		error.region = (uint32_t)i;
		error.gpa = policy->regions[i].gpa;
		fault(checker, &error);
	}
	check_overlap(checker);
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

static void check_view(struct checker *checker, uint32_t index)
{
	const struct view *view = &checker->policy->views[index];
	const struct view_target *target = checker->target;
	struct policy_error error = policy_error_of(
		target->format->check_rights(view->rights, &target->caps));

	error.view = index;
	if (error.kind != POLICY_ERROR_INVALID) {
		error.rights = view->rights;
		fault(checker, &error);
	}
	if (view_has_ve(view) && !paging_empty(target->format, &target->caps)) {
		error = policy_error_of(POLICY_ERROR_VE_UNKNOWN);
		error.view = index;
		fault(checker, &error);
	}
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];

		error = policy_error_of(POLICY_ERROR_INVALID);
		error.view = index;
		error.region = rule->region;
		if (i > 0 && rule->region <= view->rules[i - 1].region)
			error.kind = POLICY_ERROR_RULE_TWICE;
		else
			error.kind = check_rule(checker->policy, target, rule,
						&error);
		if (error.kind != POLICY_ERROR_INVALID)
			fault(checker, &error);
	}
}

static bool check_target(struct checker *checker)
{
	const struct view_target *target = checker->target;
	struct policy_error error;

	if (target->caps.maxphyaddr < PAGING_MAXPHYADDR_MIN ||
	    target->caps.maxphyaddr > PAGING_MAXPHYADDR_MAX)
		fault_of(checker, POLICY_ERROR_WIDTH_UNKNOWN);
	else if (layout_validate(&target->memory,
				 paging_address_bits(&target->caps),
				 &error) < 0)
		fault(checker, &error);
	return checker->faults == 0;
}

size_t policy_check(const struct view_policy *policy,
		    const struct view_target *target, policy_fault_fn *visit,
		    void *data)
{
	struct checker checker = {
		.policy = policy,
		.target = target,
		.visit = visit,
		.data = data,
	};

	if (!check_target(&checker))
		return checker.faults;
	if (policy->view_count == 0)
		fault_of(&checker, POLICY_ERROR_NO_VIEWS);
	else if (policy->view_count > VIEW_MAX)
		fault_of(&checker, POLICY_ERROR_TOO_MANY_VIEWS);
	else
		check_names(&checker, POLICY_ERROR_VIEW_NAME_TWICE);
	if (!checker.stopped)
		check_regions(&checker);
	for (size_t i = 0; i < policy->view_count && !checker.stopped; i++)
		check_view(&checker, (uint32_t)i);
	return checker.faults;
}

static bool take_first(void *data, const struct policy_error *error)
{
	*(struct policy_error *)data = *error;
	return false;
}

int policy_validate(const struct view_policy *policy,
		    const struct view_target *target,
		    struct policy_error *ret_error)
{
	struct policy_error error;

	if (policy_check(policy, target, take_first, &error) == 0)
		return 0;
	return policy_error_return(&error, ret_error);
}
