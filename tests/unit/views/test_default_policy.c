/* SPDX-License-Identifier: GPL-2.0-only */
/* The default views as default_policy.h promises them, page by page. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "default_policy.h"
#include "effect.h"
#include "guestfw/abi.h"

#define WINDOW UINT64_C(0xe0000)
#define FRAMES UINT64_C(0xe4000)
#define KERNEL UINT64_C(0x100000)
#define KERNEL_PAGES 3
#define R VIEW_READ
#define X VIEW_EXECUTE
#define ALL VIEW_RIGHTS_ALL

static struct default_policy_layout layout_of(bool kernel, bool ve)
{
	return (struct default_policy_layout){
		{WINDOW}, {FRAMES}, {{KERNEL}, kernel ? KERNEL_PAGES * GPA_PAGE_SIZE : 0}, ve};
}

static const struct {
	const char *name;
	unsigned shared, private_, kernel;
} wanted[DEFAULT_POLICY_VIEWS] = {
	{"kernel", ALL, ALL, ALL}, {"driver", R, ALL, R | X}, {"guest", R, 0, R | X}, {"bare", 0, 0, R | X}};

static void check(const struct view_policy *policy, uint32_t view, uint64_t gpa, unsigned rights, bool ve,
		  uint64_t target)
{
	const struct view_effect effect = policy_effect(policy, view, gpa_at(gpa));

	assert_int_equal(effect.rights, rights);
	assert_int_equal(effect.ve, ve);
	assert_int_equal(effect.target.v, target);
}

static void check_view(const struct view_policy *policy, uint32_t view, bool kernel, bool ve)
{
	const bool named = view < DEFAULT_POLICY_VIEWS;
	/* In the window, of views that keep something from the guest there. */
	const bool window_ve = ve && named && view > 0;
	const uint64_t tag = WINDOW + SS_WINDOW_TAG * GPA_PAGE_SIZE;
	const uint64_t shared = WINDOW + SS_WINDOW_SHARED * GPA_PAGE_SIZE;
	const uint64_t private_ = WINDOW + SS_WINDOW_PRIVATE * GPA_PAGE_SIZE;

	check(policy, view, tag, ALL, false, view ? FRAMES + (view - 1) * GPA_PAGE_SIZE : tag);
	check(policy, view, shared, named ? wanted[view].shared : ALL, window_ve, shared);
	check(policy, view, private_, named ? wanted[view].private_ : ALL, window_ve, private_);
	for (uint64_t page = 0; page < KERNEL_PAGES; page++)
		check(policy, view, KERNEL + page * GPA_PAGE_SIZE, kernel && named ? wanted[view].kernel : ALL,
		      false, KERNEL + page * GPA_PAGE_SIZE);
	/* Around all that, memory is everybody's. */
	check(policy, view, tag - GPA_PAGE_SIZE, ALL, false, tag - GPA_PAGE_SIZE);
	check(policy, view, KERNEL + KERNEL_PAGES * GPA_PAGE_SIZE, ALL, false,
	      KERNEL + KERNEL_PAGES * GPA_PAGE_SIZE);
}

static void views(void **state)
{
	static const unsigned numbers[] = {DEFAULT_POLICY_VIEWS, DEFAULT_POLICY_VIEWS + 1, 9, VIEW_MAX};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
		for (int run = 0; run < 4; run++) {
			const bool kernel = run & 1, ve = run & 2;
			const struct default_policy_layout layout = layout_of(kernel, ve);
			struct view_policy policy;

			assert_int_equal(default_policy(&policy, &layout, numbers[n]), 0);
			assert_int_equal(policy_has_ve(&policy), ve);
			assert_int_equal(policy.view_count, numbers[n]);
			assert_int_equal(policy.region_count, SS_WINDOW_PAGES + kernel);
			for (uint32_t v = 0; v < numbers[n]; v++)
				check_view(&policy, v, kernel, ve);
			for (uint32_t v = 0; v < DEFAULT_POLICY_VIEWS; v++)
				assert_string_equal(policy.views[v].name, wanted[v].name);
			for (uint32_t v = DEFAULT_POLICY_VIEWS; v < numbers[n]; v++)
				assert_string_not_equal(policy.views[v].name, policy.views[v - 1].name);
			policy_finish(&policy);
		}
}

static void numbers_out_of_range(void **state)
{
	static const unsigned numbers[] = {0, 1, DEFAULT_POLICY_VIEWS - 1, VIEW_MAX + 1, UINT32_MAX};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
		const struct default_policy_layout layout = layout_of(true, true);
		struct view_policy policy;

		memset(&policy, 0xee, sizeof(policy));
		assert_int_equal(default_policy(&policy, &layout, numbers[n]), -EINVAL);
		policy_finish(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views),
		cmocka_unit_test(numbers_out_of_range),
	};

	return cmocka_run_group_tests_name("default_policy", tests, NULL, NULL);
}
