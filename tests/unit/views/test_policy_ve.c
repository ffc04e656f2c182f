/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy says of violations: that they exit, or that they are #VE, which not every target knows. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>

#include "policy.h"
#include "policy_soften.h"

#define PAGE UINT64_C(0x1000)
#define REGIONS 3
#define VIEWS 4

static const struct gpa_range range = {{0}, UINT64_C(16) << 20};

static struct view_target target_of(const struct paging_format *format, bool ve)
{
	return (struct view_target){
		.memory = {&range, 1},
		.format = format,
		.caps = {.ve = ve, .maxphyaddr = 46},
	};
}

/* All that are no EPT with the control. */
static const struct target_row {
	const struct paging_format *format;
	bool ve;
} without[] = {
	{&paging_formats[PAGING_EPT], false},
	{&paging_formats[PAGING_NPT], false},
	{&paging_formats[PAGING_NPT], true},
	{&paging_slots, true},
};

/* Views of all rights; nothing is #VE. */
static void fill(struct view_policy *policy)
{
	static const char *const regions[] = {"r0", "r1", "r2"}, *const views[] = {"v0", "v1", "v2", "v3"};

	*policy = (struct view_policy){0};
	for (unsigned i = 0; i < REGIONS; i++)
		assert_int_equal(policy_add_region(policy, regions[i], gpa_at(i * PAGE), PAGE, NULL), 0);
	for (unsigned i = 0; i < VIEWS; i++)
		assert_int_equal(policy_add_view(policy, views[i], VIEW_RIGHTS_ALL, NULL), 0);
}

/* Rights, target and #VE of a rule are set one by one. */
static void set(void **state)
{
	struct view_policy policy;
	const struct view_rule *rule;

	(void)state;
	fill(&policy);
	assert_int_equal(policy_set_ve(&policy, VIEWS, 0, true), -ENOENT);
	assert_int_equal(policy_set_ve(&policy, 0, REGIONS, true), -ENOENT);
	assert_null(policy_rule(&policy, 0, 0));
	policy.views[0].rights = VIEW_READ;
	assert_int_equal(policy_set_ve(&policy, 0, 1, true), 0);
	rule = policy_rule(&policy, 0, 1);
	assert_non_null(rule);
	assert_true(rule->ve && !rule->remapped);
	assert_int_equal(rule->rights, VIEW_READ);
	assert_int_equal(policy_set_rights(&policy, 0, 1, 0), 0);
	assert_int_equal(policy_set_remap(&policy, 0, 1, gpa_at(5 * PAGE)), 0);
	rule = policy_rule(&policy, 0, 1);
	assert_true(rule->ve && rule->remapped && rule->rights == 0);
	assert_int_equal(policy_set_ve(&policy, 0, 1, false), 0);
	rule = policy_rule(&policy, 0, 1);
	assert_true(!rule->ve && rule->remapped && rule->rights == 0);
	assert_int_equal(rule->target.v, 5 * PAGE);
	policy_finish(&policy);
}

/* What a rule does not say it has of the view, whichever was said first. */
static void rules_begin_as_the_view(void **state)
{
	struct view_policy policy;

	(void)state;
	fill(&policy);
	policy.views[1].ve = true;
	for (uint32_t view = 0; view < 2; view++) {
		assert_int_equal(policy_set_rights(&policy, view, 0, VIEW_READ), 0);
		assert_int_equal(policy_set_remap(&policy, view, 1, gpa_at(0)), 0);
		assert_int_equal(policy_rule(&policy, view, 0)->ve, view);
		assert_int_equal(policy_rule(&policy, view, 1)->ve, view);
	}
	policy_finish(&policy);
}

/* By the view, by any rule, and by nothing else. */
static void has(void **state)
{
	struct view_policy policy;

	(void)state;
	fill(&policy);
	assert_false(policy_has_ve(&policy));
	for (uint32_t view = 0; view < VIEWS; view++) {
		for (uint32_t region = 0; region < REGIONS; region++) {
			assert_int_equal(policy_set_ve(&policy, view, region, true), 0);
			for (uint32_t other = 0; other < VIEWS; other++)
				assert_int_equal(view_has_ve(&policy.views[other]), other == view);
			assert_true(policy_has_ve(&policy));
			assert_int_equal(policy_set_ve(&policy, view, region, false), 0);
			assert_false(policy_has_ve(&policy));
		}
		policy.views[view].ve = true;
		assert_true(view_has_ve(&policy.views[view]) && policy_has_ve(&policy));
		policy.views[view].ve = false;
	}
	policy_finish(&policy);
	policy = (struct view_policy){0};
	assert_false(policy_has_ve(&policy));
}

static void a_copy_has_it_too(void **state)
{
	struct view_policy policy, copy;

	(void)state;
	fill(&policy);
	policy.views[2].ve = true;
	assert_int_equal(policy_set_ve(&policy, 1, 1, true), 0);
	assert_int_equal(policy_copy(&policy, &copy), 0);
	for (uint32_t view = 0; view < VIEWS; view++)
		assert_int_equal(view_has_ve(&copy.views[view]), view == 1 || view == 2);
	assert_int_equal(policy_set_ve(&copy, 1, 1, false), 0);
	assert_true(view_has_ve(&policy.views[1]));
	policy_finish(&policy);
	policy_finish(&copy);
}

struct fault_list {
	struct policy_error list[8];
	size_t count;
};

static bool take_fault(void *data, const struct policy_error *error)
{
	struct fault_list *faults = data;

	assert_true(faults->count < ARRAY_SIZE(faults->list));
	faults->list[faults->count++] = *error;
	return true;
}

/* View 1 has it in two rules, view 2 by itself and in one, view 3 has none. */
static void fill_with_ve(struct view_policy *policy)
{
	fill(policy);
	assert_int_equal(policy_set_ve(policy, 1, 0, true), 0);
	assert_int_equal(policy_set_ve(policy, 1, 2, true), 0);
	policy->views[2].ve = true;
	assert_int_equal(policy_set_rights(policy, 2, 1, VIEW_READ | VIEW_EXECUTE), 0);
	assert_int_equal(policy_set_rights(policy, 3, 1, VIEW_READ | VIEW_EXECUTE), 0);
}

static void a_target_with_it_takes_it(void **state)
{
	const struct view_target target = target_of(&paging_formats[PAGING_EPT], true);
	struct view_policy policy;

	(void)state;
	fill_with_ve(&policy);
	assert_int_equal(policy_validate(&policy, &target, NULL), 0);
	policy_finish(&policy);
}

static void any_other_refuses_it_once_a_view(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		const struct view_target target = target_of(without[i].format, without[i].ve);
		struct fault_list faults = {.count = 0};
		struct view_policy policy;
		struct policy_error error;

		fill_with_ve(&policy);
		assert_int_equal(policy_check(&policy, &target, take_fault, &faults), 2);
		assert_int_equal(faults.count, 2);
		for (size_t n = 0; n < faults.count; n++) {
			assert_int_equal(faults.list[n].kind, POLICY_ERROR_VE_UNKNOWN);
			assert_int_equal(faults.list[n].view, 1 + n);
			assert_int_equal(faults.list[n].region, POLICY_NO_INDEX);
		}
		assert_int_equal(policy_validate(&policy, &target, &error), -EOPNOTSUPP);
		assert_int_equal(error.kind, POLICY_ERROR_VE_UNKNOWN);
		assert_int_equal(error.view, 1);
		policy_finish(&policy);
	}
}

/* Of each view behind its own rights and before its rules. */
static void among_other_faults(void **state)
{
	static const struct {
		enum policy_error_kind kind;
		uint32_t view, region;
	} wanted[] = {
		{POLICY_ERROR_WRITE_WITHOUT_READ, 0, POLICY_NO_INDEX},
		{POLICY_ERROR_VE_UNKNOWN, 1, POLICY_NO_INDEX},
		{POLICY_ERROR_EXECUTE_ONLY, 1, 1},
		{POLICY_ERROR_EXECUTE_ONLY, 2, POLICY_NO_INDEX},
		{POLICY_ERROR_VE_UNKNOWN, 2, POLICY_NO_INDEX},
		{POLICY_ERROR_WRITE_WITHOUT_READ, 2, 0},
	};
	const struct view_target target = target_of(&paging_formats[PAGING_EPT], false);
	struct fault_list faults = {.count = 0};
	struct view_policy policy;

	(void)state;
	fill_with_ve(&policy);
	policy.views[0].rights = VIEW_WRITE;
	assert_int_equal(policy_set_rights(&policy, 1, 1, VIEW_EXECUTE), 0);
	policy.views[2].rights = VIEW_EXECUTE;
	assert_int_equal(policy_set_rights(&policy, 2, 0, VIEW_WRITE), 0);
	assert_int_equal(policy_check(&policy, &target, take_fault, &faults), ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(faults.list[i].kind, wanted[i].kind);
		assert_int_equal(faults.list[i].view, wanted[i].view);
		assert_int_equal(faults.list[i].region, wanted[i].region);
	}
	policy_finish(&policy);
}

struct softenings {
	struct softening list[8];
	size_t count;
};

static void take_softening(void *data, const struct softening *softening)
{
	struct softenings *taken = data;

	assert_true(taken->count < ARRAY_SIZE(taken->list));
	taken->list[taken->count++] = *softening;
}

/* Nothing is #VE any more, which is told once a view and before what became of its rights. */
static void softened(void **state)
{
	const struct view_target target = target_of(&paging_formats[PAGING_EPT], false);
	static const struct softening wanted[] = {
		{1, POLICY_NO_INDEX, 0, 0, true},
		{1, 1, VIEW_WRITE, VIEW_READ | VIEW_WRITE, false},
		{2, POLICY_NO_INDEX, 0, 0, true},
		{2, POLICY_NO_INDEX, VIEW_EXECUTE, VIEW_READ | VIEW_EXECUTE, false},
		{3, 0, VIEW_WRITE, VIEW_READ | VIEW_WRITE, false},
	};
	struct softenings taken = {.count = 0};
	struct view_policy policy;

	(void)state;
	fill_with_ve(&policy);
	assert_int_equal(policy_set_rights(&policy, 1, 1, VIEW_WRITE), 0);
	policy.views[2].rights = VIEW_EXECUTE;
	assert_int_equal(policy_set_rights(&policy, 3, 0, VIEW_WRITE), 0);
	policy_soften(&policy, &target, take_softening, &taken);
	assert_int_equal(taken.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(taken.list[i].view, wanted[i].view);
		assert_int_equal(taken.list[i].region, wanted[i].region);
		assert_int_equal(taken.list[i].ve, wanted[i].ve);
		if (wanted[i].ve)
			continue;
		assert_int_equal(taken.list[i].asked, wanted[i].asked);
		assert_int_equal(taken.list[i].given, wanted[i].given);
	}
	assert_false(policy_has_ve(&policy));
	assert_int_equal(policy_validate(&policy, &target, NULL), 0);
	policy_finish(&policy);
}

/* Each target without it loses all of it and nothing else; one with it keeps it. */
static void softened_for_whom(void **state)
{
	const struct view_target with = target_of(&paging_formats[PAGING_EPT], true);
	struct softenings taken = {.count = 0};
	struct view_policy policy;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		const struct view_target target = target_of(without[i].format, without[i].ve);

		taken.count = 0;
		fill_with_ve(&policy);
		policy_soften(&policy, &target, take_softening, &taken);
		assert_int_equal(taken.count, 2);
		assert_true(taken.list[0].ve && taken.list[1].ve);
		assert_false(policy_has_ve(&policy));
		assert_int_equal(policy_rule(&policy, 2, 1)->rights, VIEW_READ | VIEW_EXECUTE);
		policy_finish(&policy);
	}
	taken.count = 0;
	fill_with_ve(&policy);
	policy_soften(&policy, &with, take_softening, &taken);
	assert_int_equal(taken.count, 0);
	assert_true(view_has_ve(&policy.views[1]) && view_has_ve(&policy.views[2]));
	policy_finish(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set),
		cmocka_unit_test(rules_begin_as_the_view),
		cmocka_unit_test(has),
		cmocka_unit_test(a_copy_has_it_too),
		cmocka_unit_test(a_target_with_it_takes_it),
		cmocka_unit_test(any_other_refuses_it_once_a_view),
		cmocka_unit_test(among_other_faults),
		cmocka_unit_test(softened),
		cmocka_unit_test(softened_for_whom),
	};

	return cmocka_run_group_tests_name("policy_ve", tests, NULL, NULL);
}
