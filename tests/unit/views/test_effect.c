/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy says about a page, the default policy, and the answers of the services. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "default_policy.h"
#include "effect.h"
#include "service.h"

#define PAGE UINT64_C(4096)
#define WINDOW UINT64_C(0xe0000)
#define FRAMES UINT64_C(0xe4000)
#define KERNEL 0x100000ull

static void effects(void **state)
{
	struct view_policy policy = {0};
	struct view_effect effect;

	(void)state;
	assert_int_equal(policy_add_region(&policy, "a", gpa_at(10 * PAGE), 3 * PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "b", gpa_at(13 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_view(&policy, "plain", VIEW_READ | VIEW_EXECUTE, NULL), 0);
	assert_int_equal(policy_add_view(&policy, "ruled", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_set_rights(&policy, 1, 0, VIEW_READ), 0);
	assert_int_equal(policy_set_remap(&policy, 1, 0, gpa_at(40 * PAGE)), 0);
	assert_int_equal(policy_set_rights(&policy, 1, 1, 0), 0);
	for (uint64_t at = 8 * PAGE; at < 16 * PAGE; at += 512) {
		effect = policy_effect(&policy, 0, gpa_at(at));
		assert_int_equal(effect.rights, VIEW_READ | VIEW_EXECUTE);
		assert_int_equal(effect.target.v, at);
		effect = policy_effect(&policy, 1, gpa_at(at));
		if (at >= 10 * PAGE && at < 13 * PAGE) {
			assert_int_equal(effect.rights, VIEW_READ);
			assert_int_equal(effect.target.v, at + 30 * PAGE);
		} else if (at >= 13 * PAGE && at < 14 * PAGE) {
			assert_int_equal(effect.rights, 0);
		} else {
			assert_int_equal(effect.rights, VIEW_RIGHTS_ALL);
			assert_int_equal(effect.target.v, at);
		}
	}
	for (uint64_t at = 8 * PAGE; at < 16 * PAGE; at += 512)
		assert_int_equal(policy_region_at(&policy, gpa_at(at)),
				 at < 10 * PAGE	  ? POLICY_NO_INDEX
				 : at < 13 * PAGE ? 0
				 : at < 14 * PAGE ? 1
						  : POLICY_NO_INDEX);
	assert_int_equal(policy_region_at(NULL, gpa_at(10 * PAGE)), POLICY_NO_INDEX);
	effect = policy_effect(&policy, 2, gpa_at(0));
	assert_int_equal(effect.rights, 0);
	assert_false(effect.ve);
	effect = policy_effect(&policy, UINT32_MAX, gpa_at(0));
	assert_int_equal(effect.rights, 0);
	effect = policy_effect(NULL, 0, gpa_at(0));
	assert_int_equal(effect.rights, 0);
	assert_false(effect.ve);
	policy_finish(&policy);
}

/* What is forbidden is #VE as the rule has it where there is one, else as the view has it, whatever the rights. */
static void effects_of_ve(void **state)
{
	struct view_policy policy = {0};

	(void)state;
	assert_int_equal(policy_add_region(&policy, "a", gpa_at(10 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "b", gpa_at(11 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "c", gpa_at(12 * PAGE), PAGE, NULL), 0);
	for (uint32_t view = 0; view < 2; view++) {
		assert_int_equal(policy_add_view(&policy, view ? "ve" : "exits", VIEW_READ, NULL), 0);
		policy.views[view].ve = view;
		/* A rule that says nothing of it has what the view has. */
		assert_int_equal(policy_set_rights(&policy, view, 0, 0), 0);
		assert_int_equal(policy_set_ve(&policy, view, 1, !view), 0);
	}
	for (uint32_t view = 0; view < 2; view++)
		for (uint64_t at = 9 * PAGE; at < 14 * PAGE; at += 512) {
			const struct view_effect effect = policy_effect(&policy, view, gpa_at(at));

			assert_int_equal(effect.ve, at / PAGE == 11 ? !view : view);
			assert_int_equal(effect.rights, at / PAGE == 10 ? 0 : VIEW_READ);
		}
	assert_false(policy_effect(&policy, 2, gpa_at(11 * PAGE)).ve);
	assert_false(policy_effect(NULL, 1, gpa_at(11 * PAGE)).ve);
	policy_finish(&policy);
}

/* By the effects: all rights at once, and the same of every view. */
static void grants(void **state)
{
	struct view_policy policy = {0};
	gpa_t target;

	(void)state;
	/* Without a view there is none that does not. */
	assert_true(policy_all_grant(&policy, gpa_at(0), VIEW_RIGHTS_ALL));
	assert_int_equal(policy_add_region(&policy, "a", gpa_at(10 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "b", gpa_at(11 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "c", gpa_at(12 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_view(&policy, "plain", VIEW_READ | VIEW_EXECUTE, NULL), 0);
	assert_int_equal(policy_add_view(&policy, "ruled", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_set_rights(&policy, 0, 0, VIEW_RIGHTS_ALL), 0);
	assert_int_equal(policy_set_rights(&policy, 1, 1, VIEW_READ), 0);
	assert_int_equal(policy_set_rights(&policy, 1, 2, VIEW_RIGHTS_ALL), 0);
	assert_int_equal(policy_set_remap(&policy, 1, 2, gpa_at(40 * PAGE)), 0);
	for (uint64_t at = 8 * PAGE; at < 16 * PAGE; at += 512)
		for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++) {
			bool all = true;

			for (uint32_t view = 0; view < 3; view++) {
				struct view_effect effect = policy_effect(&policy, view, gpa_at(at));
				bool granted = (rights & ~effect.rights) == 0;

				assert_int_equal(policy_grants(&policy, view, gpa_at(at), rights, &target),
						 granted);
				assert_int_equal(target.v, effect.target.v);
				all &= view == 2 || (granted && effect.target.v == at);
			}
			assert_int_equal(policy_all_grant(&policy, gpa_at(at), rights), all);
		}
	policy_finish(&policy);
}

/* The table in default_policy.h. */
static void default_views(void **state)
{
	static const struct {
		const char *name;
		unsigned shared, private_;
	} rows[] = {
		{"kernel", VIEW_RIGHTS_ALL, VIEW_RIGHTS_ALL},
		{"driver", VIEW_READ, VIEW_RIGHTS_ALL},
		{"guest", VIEW_READ, 0},
		{"bare", 0, 0},
	};
	const struct gpa_range memory = {gpa_at(0), 16 << 20};
	const struct view_target target = {.memory = {&memory, 1}, .format = &paging_formats[PAGING_EPT],
					   .caps = {.maxphyaddr = 46}};
	const struct default_policy_layout layout = {
		gpa_at(WINDOW), gpa_at(FRAMES), {gpa_at(KERNEL), 2 * PAGE}, false};
	struct view_policy policy;
	struct policy_error error;

	(void)state;
	assert_int_equal(default_policy(&policy, &layout, DEFAULT_POLICY_VIEWS), 0);
	assert_int_equal(policy_validate(&policy, &target, &error), 0);
	assert_int_equal(policy.view_count, ARRAY_SIZE(rows));
	assert_int_equal(policy.region_count, 4);
	for (uint32_t view = 0; view < ARRAY_SIZE(rows); view++) {
		struct view_effect tag = policy_effect(&policy, view, gpa_at(WINDOW));
		struct view_effect shared = policy_effect(&policy, view, gpa_at(WINDOW + PAGE));
		struct view_effect own = policy_effect(&policy, view, gpa_at(WINDOW + 2 * PAGE));

		assert_string_equal(policy.views[view].name, rows[view].name);
		assert_int_equal(tag.rights, VIEW_RIGHTS_ALL);
		assert_int_equal(tag.target.v, view ? FRAMES + (view - 1) * PAGE : WINDOW);
		assert_int_equal(shared.rights, rows[view].shared);
		assert_int_equal(shared.target.v, WINDOW + PAGE);
		assert_int_equal(own.rights, rows[view].private_);
		/* Only view 0 may write the kernel, everybody may run it. */
		assert_int_equal(policy_effect(&policy, view, gpa_at(KERNEL + PAGE)).rights,
				 view ? VIEW_READ | VIEW_EXECUTE : VIEW_RIGHTS_ALL);
		assert_int_equal(policy_effect(&policy, view, gpa_at(KERNEL + 2 * PAGE)).rights,
				 VIEW_RIGHTS_ALL);
		/* Everything else is the same in all views. */
		assert_int_equal(policy_effect(&policy, view, gpa_at(WINDOW - 1)).rights,
				 VIEW_RIGHTS_ALL);
		assert_int_equal(policy_effect(&policy, view, gpa_at(WINDOW + 3 * PAGE)).rights,
				 VIEW_RIGHTS_ALL);
	}
	policy_finish(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(effects),
		cmocka_unit_test(effects_of_ve),
		cmocka_unit_test(grants),
		cmocka_unit_test(default_views),
	};

	return cmocka_run_group_tests_name("effect", tests, NULL, NULL);
}
