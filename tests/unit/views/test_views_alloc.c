/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "default_policy.h"
#include "ept.h"
#include "ept_live.h"
#include "policy_lint.h"
#include "policy_survey.h"

/* The linker sends the module's allocations here; see meson.build. */
static long allocations_left = -1;

static int allocation_fails(void)
{
	if (allocations_left < 0)
		return 0;
	return allocations_left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(memory, size);
}

int __real_policy_set_ve(struct view_policy *policy, uint32_t view, uint32_t region, bool ve);
int __wrap_policy_set_ve(struct view_policy *policy, uint32_t view, uint32_t region, bool ve);

/* May need room for a rule, whether there is some left or not. */
int __wrap_policy_set_ve(struct view_policy *policy, uint32_t view, uint32_t region, bool ve)
{
	return allocation_fails() ? -ENOMEM : __real_policy_set_ve(policy, view, region, ve);
}

#define PAGE UINT64_C(4096)
#define REGIONS 40
#define VIEWS 12
/* More than the tables' first 256 slots hold, so that they grow. */
#define ARENA_PAGES 1024
/* Little more than the views need at once. */
#define LIVE_PAGES 640

static const struct gpa_range ranges[] = { { { 0 }, UINT64_C(1) << 30 } };

static const struct view_target target = {
	.memory = { ranges, 1 },
	.format = &paging_formats[PAGING_EPT],
	.caps = { .maxphyaddr = 40 },
};

static int fill(struct view_policy *policy)
{
	char name[16];

	for (uint32_t i = 0; i < REGIONS; i++) {
		int error;

		snprintf(name, sizeof(name), "r%u", (unsigned)i);
		error = policy_add_region(policy, name, gpa_at(i * 4 * PAGE),
					  PAGE, NULL);
		if (error)
			return error;
	}
	for (uint32_t i = 0; i < VIEWS; i++) {
		int error;

		snprintf(name, sizeof(name), "v%u", (unsigned)i);
		error = policy_add_view(policy, name, VIEW_RIGHTS_ALL, NULL);
		for (uint32_t j = 0; j <= i && !error; j++)
			error = policy_set_rights(policy, i, j, VIEW_READ);
		if (error)
			return error;
	}
	return 0;
}

/* Fails each allocation in turn until all succeed. Leaks show under ASan. */
static void every_allocation(void **state)
{
	struct ept_views *views = calloc(1, sizeof(*views));
	void *host = malloc(ARENA_PAGES * PAGE);
	int result = -ENOMEM;
	long failures = 0;

	(void)state;
	assert_non_null(views);
	assert_non_null(host);
	for (; result == -ENOMEM; failures++) {
		struct table_arena arena = {
			.base = gpa_at(UINT64_C(1) << 36),
			.host = host,
			.size = ARENA_PAGES * PAGE,
		};
		struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
		struct view_policy policy = { 0 };
		int filled;

		allocations_left = failures;
		filled = fill(&policy);
		result = filled ? filled :
				  ept_build(&policy, &target, &arena, views,
					    &error);
		allocations_left = -1;
		if (result != 0) {
			assert_int_equal(result, -ENOMEM);
			assert_int_equal(error.kind,
					 filled ? POLICY_ERROR_INVALID :
						  POLICY_ERROR_OUT_OF_MEMORY);
			assert_int_equal(arena.used, 0);
			assert_int_equal(views->count, 0);
		}
		policy_finish(&policy);
	}
	assert_int_equal(result, 0);
	assert_int_equal(views->count, VIEWS);
	/* Policy arrays, sort keys, builder, pool and memo were all hit. */
	assert_true(failures > 40);
	free(host);
	free(views);
}

static bool ignore(void *data, const struct lint_warning *warning)
{
	(void)data;
	(void)warning;
	return true;
}

/* The checks and the survey of a policy that could be built. */
static int examine(const struct view_policy *policy)
{
	static const struct lint_view notes[VIEWS];
	static const uint8_t code[] = { 0x0f, 0x01, 0xd4 };
	static const struct lint_bytes bytes = { { 0 }, sizeof(code), code };
	const struct lint_subject subject = {
		.policy = policy,
		.memory = &target.memory,
		.views = notes,
		.bytes = &bytes,
		.bytes_count = 1,
	};
	struct policy_survey survey;
	int result = policy_lint(&subject, ignore, NULL);

	if (result != 0)
		return result;
	result = policy_survey(&survey, policy, &target.memory);
	policy_survey_finish(&survey);
	return result;
}

static void every_examination(void **state)
{
	struct view_policy policy = { 0 };
	int result = -ENOMEM;
	long failures = 0;

	(void)state;
	assert_int_equal(fill(&policy), 0);
	for (; result == -ENOMEM; failures++) {
		allocations_left = failures;
		result = examine(&policy);
		allocations_left = -1;
	}
	assert_int_equal(result, 0);
	assert_true(failures > 10);
	policy_finish(&policy);
}

/* What a view is to be, whatever was allocated: all its rules. */
static int change_all(struct ept_live *live, struct view_policy *policy)
{
	struct ept_change change;
	int result = 0;

	for (uint32_t i = 0; i < REGIONS && result == 0; i++) {
		result = policy_set_rights(policy, 0, i, i % 2 ? 0 : VIEW_READ);
		if (result == 0)
			result = ept_live_update(live, policy, 0, i, &change);
		if (result == 0 && i % 16 == 15)
			ept_live_collect(live);
	}
	return result;
}

/* The same for views that change: create, copy the policy, update, collect. */
static void every_allocation_of_changes(void **state)
{
	struct ept_views *views = calloc(1, sizeof(*views));
	void *host = malloc(ARENA_PAGES * PAGE);
	int result = -ENOMEM;
	long failures = 0;

	(void)state;
	assert_non_null(views);
	assert_non_null(host);
	for (; result == -ENOMEM; failures++) {
		const struct table_arena arena = {
			.base = gpa_at(UINT64_C(1) << 36),
			.host = host,
			.size = ARENA_PAGES * PAGE,
		};
		struct view_policy policy = { 0 }, copy = { 0 };
		struct ept_live *live = NULL;

		assert_int_equal(fill(&policy), 0);
		allocations_left = failures;
		result = policy_copy(&policy, &copy);
		if (result == 0)
			result = ept_live_create(&copy, &target, &arena, views, &live, NULL);
		if (result == 0)
			result = change_all(live, &copy);
		allocations_left = -1;
		assert_true(result == 0 || result == -ENOMEM);
		/* What failed can be done again. */
		if (live)
			assert_int_equal(change_all(live, &copy), 0);
		ept_live_destroy(live);
		policy_finish(&copy);
		policy_finish(&policy);
	}
	assert_int_equal(result, 0);
	/* All of them when views and policy are made; changes need none. */
	assert_true(failures > 20);
	free(host);
	free(views);
}

/* Rights of views in use change where no memory can be had: in the thread of a vCPU. */
static void live_changes(void **state)
{
	struct ept_views *views = calloc(1, sizeof(*views));
	void *host = malloc(LIVE_PAGES * PAGE);
	const struct table_arena arena = {
		.base = gpa_at(UINT64_C(1) << 36),
		.host = host,
		.size = LIVE_PAGES * PAGE,
	};
	struct view_policy given = { 0 }, policy;
	unsigned collections = 0;
	struct ept_live *live;

	(void)state;
	assert_non_null(views);
	assert_non_null(host);
	assert_int_equal(fill(&given), 0);
	assert_int_equal(policy_copy(&given, &policy), 0);
	assert_int_equal(ept_live_create(&policy, &target, &arena, views, &live, NULL), 0);
	allocations_left = 0;
	for (uint32_t i = 0; i < 50000; i++) {
		const uint32_t view = i % VIEWS, region = i / 7 % REGIONS;
		const unsigned rights[] = { 0, VIEW_READ, VIEW_READ | VIEW_WRITE, VIEW_RIGHTS_ALL };
		struct ept_change change;
		int result;

		assert_int_equal(policy_set_rights(&policy, view, region, rights[i / 3 % 4]), 0);
		result = ept_live_update(live, &policy, view, region, &change);
		if (result == -ENOSPC) {
			collections++;
			ept_live_collect(live);
			result = ept_live_update(live, &policy, view, region, &change);
		}
		assert_int_equal(result, 0);
	}
	assert_int_equal(allocations_left, 0);
	/* More rules than there were regions when memory was set aside. */
	allocations_left = -1;
	assert_int_equal(policy_add_region(&policy, "late", gpa_at(UINT64_C(1) << 29), PAGE, NULL), 0);
	for (uint32_t i = 0; i <= REGIONS; i++)
		assert_int_equal(policy_set_rights(&policy, 0, i, VIEW_READ), 0);
	allocations_left = 0;
	assert_int_equal(ept_live_update(live, &policy, 0, REGIONS, &(struct ept_change){ 0 }), -ENOMEM);
	allocations_left = -1;
	assert_int_equal(ept_live_update(live, &policy, 0, REGIONS, &(struct ept_change){ 0 }), 0);
	assert_true(collections > 10);
	ept_live_destroy(live);
	policy_finish(&policy);
	policy_finish(&given);
	free(host);
	free(views);
}

static void every_allocation_of_the_default(void **state)
{
	static const struct default_policy_layout layout = {
		{ 0xe0000 }, { 0xe4000 }, { { 0x100000 }, PAGE }, true
	};
	int result = -ENOMEM;
	long failures = 0;

	(void)state;
	for (; result == -ENOMEM; failures++) {
		struct view_policy policy;

		allocations_left = failures;
		result = default_policy(&policy, &layout, VIEWS);
		allocations_left = -1;
		assert_int_equal(result == 0, policy.view_count == VIEWS &&
						      policy.views[VIEWS - 1].rule_count > 0);
		policy_finish(&policy);
	}
	assert_int_equal(result, 0);
	/* Regions, views, and the rules of each view but the first. */
	assert_true(failures > 2 + VIEWS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation),
		cmocka_unit_test(every_examination),
		cmocka_unit_test(every_allocation_of_changes),
		cmocka_unit_test(live_changes),
		cmocka_unit_test(every_allocation_of_the_default),
	};

	return cmocka_run_group_tests_name("views_alloc", tests, NULL, NULL);
}
