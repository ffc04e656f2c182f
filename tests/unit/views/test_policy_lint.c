/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy permits that may not be meant. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "effect.h"
#include "lint_fixture.h"
#include "policy_lint.h"
#include "scenario.h"

static void table(void **state)
{
	(void)state;
	assert_null(lint_key(LINT_INVALID));
	assert_null(lint_key(LINT_COUNT));
	assert_null(lint_text(LINT_INVALID));
	assert_null(lint_text(LINT_COUNT));
	for (int kind = LINT_INVALID + 1; kind < LINT_COUNT; kind++) {
		assert_non_null(lint_text((enum lint_kind)kind));
		for (int other = LINT_INVALID + 1; other < kind; other++)
			assert_string_not_equal(lint_key((enum lint_kind)kind),
						lint_key((enum lint_kind)other));
	}
}

static void write_execute(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 3);
	region(bench, 8, 1);
	view(bench, "all", R | W | X);
	view(bench, "rule", R);
	view(bench, "apart", R | W);
	rights(bench, 0, 0, R | X); /* takes its pages out of the default's */
	rights(bench, 1, 1, R | W | X);
	rights(bench, 2, 0, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE, &last), 2);
	assert_int_equal(bench->found[0].kind, LINT_WRITE_EXECUTE);
	assert_int_equal(bench->found[0].view, 0);
	assert_int_equal(bench->found[0].region, POLICY_NO_INDEX);
	assert_int_equal(bench->found[0].count, (PAGES - 3) * PAGE);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.region, 1);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	assert_int_equal(last.count, PAGE);
	bench->views[0].writes_code = true;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE, &last), 1);
	assert_int_equal(last.view, 1);
	bench_destroy(bench);
}

/* One page under two addresses: written under one, executed under the other. */
static void alias(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 2); /* remapped to 10 and 11 */
	region(bench, 11, 1);
	view(bench, "v", R | X);
	rights(bench, 0, 0, R);
	remap(bench, 0, 0, 10);
	lint(bench);
	assert_int_equal(bench->count, 0);
	rights(bench, 0, 0, R | W);
	lint(bench);
	assert_true(count_of(bench, LINT_WRITE_EXECUTE_ALIAS, &last) > 0);
	assert_int_equal(last.region, 0); /* the one that is remapped */
	/* Nothing is executed any more where it shows. */
	assert_int_equal(policy_add_region(&bench->policy, "ten",
					   gpa_at(10 * PAGE), PAGE, NULL), 0);
	rights(bench, 0, 1, R);
	rights(bench, 0, 2, R | W);
	lint(bench);
	assert_int_equal(bench->count, 0);
	/* The other way round: what is executed is the remap. */
	rights(bench, 0, 0, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ALIAS, &last), 1);
	assert_int_equal(last.region, 0);
	assert_int_equal(last.other_region, 2);
	bench->views[0].writes_code = true;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);
}

/* Whether two addresses of the view show the same page, one only to be written
 * and one only to be executed. */
static bool expect_alias(const struct bench *bench)
{
	for (uint64_t a = 0; a < PAGES; a++) {
		for (uint64_t b = 0; b < PAGES; b++) {
			const struct view_effect written = policy_effect(
				&bench->policy, 0, gpa_at(a * PAGE));
			const struct view_effect executed = policy_effect(
				&bench->policy, 0, gpa_at(b * PAGE));

			if ((written.rights & (W | X)) == W &&
			    (executed.rights & (W | X)) == X &&
			    gpa_equal(written.target, executed.target))
				return true;
		}
	}
	return false;
}

static void random_alias(void **state)
{
	static const unsigned choice[] = { R, R | W, R | X, R | W | X };
	unsigned found = 0;
	uint64_t seed = 12;

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		struct bench *bench = bench_create();
		struct lint_warning last;

		for (uint64_t page = 0; page < PAGES; page += 4)
			region(bench, page, 1 + random_below(&seed, 4));
		view(bench, "v", choice[random_below(&seed, 4)]);
		for (uint32_t r = 0; r < PAGES / 4; r++) {
			if (random_below(&seed, 2))
				rights(bench, 0, r, choice[random_below(&seed, 4)]);
			if (random_below(&seed, 3) == 0)
				remap(bench, 0, r, random_below(&seed, PAGES - 3));
		}
		lint(bench);
		assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ALIAS, &last) != 0,
				 expect_alias(bench));
		found += expect_alias(bench);
		bench_destroy(bench);
	}
	assert_in_range(found, 50, 950);
}

/* What one view writes and another executes, also under another address. */
static void across(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 2);
	region(bench, 8, 2);
	view(bench, "kernel", R);
	view(bench, "driver", R);
	view(bench, "other", R);
	rights(bench, 0, 1, R | W);
	remap(bench, 0, 1, 3);
	rights(bench, 1, 0, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 1);
	assert_int_equal(last.view, 0);
	assert_int_equal(last.other_view, 1);
	assert_int_equal(last.region, 1);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	assert_int_equal(last.count, PAGE);
	bench->views[0].writes_code = true;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 1);
	bench->views[1].writes_code = true;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 0);
	/* Who can write it himself has another warning. */
	bench->views[1].writes_code = false;
	rights(bench, 1, 0, R | W | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 0);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE, &last), 1);
	bench_destroy(bench);
}

/* One region that shows two pages that other views execute is one warning; a region before it that is
 * written too, but shows memory behind, is not meant. */
static void across_views(void **state)
{
	struct bench *bench = bench_create();
	struct lint_warning last;

	(void)state;
	region(bench, 2, 1);
	region(bench, 4, 1);
	region(bench, 5, 1);
	region(bench, 8, 2);
	for (uint32_t v = 0; v < 3; v++)
		view(bench, "v", R);
	strcpy(bench->policy.views[1].name, "first");
	strcpy(bench->policy.views[2].name, "second");
	rights(bench, 0, 0, R | W);
	remap(bench, 0, 0, 12);
	rights(bench, 0, 3, R | W);
	remap(bench, 0, 3, 4);
	rights(bench, 1, 1, R | X);
	rights(bench, 2, 2, R | X);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_WRITE_EXECUTE_ACROSS, &last), 1);
	assert_int_equal(last.region, 3);
	assert_int_equal(last.other_view, 1);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	assert_int_equal(last.count, 2 * PAGE);
	bench_destroy(bench);
}

static void needs(void **state)
{
	struct bench *bench = gated();
	struct lint_warning last;

	(void)state;
	bench->need = (struct lint_need){ "need", { { 8 * PAGE }, 3 * PAGE },
					  R | W };
	bench->subject.need_count = 1;
	lint(bench);
	assert_int_equal(bench->count, 1); /* the driver cannot write */
	assert_int_equal(bench->found[0].kind, LINT_NEED);
	assert_int_equal(bench->found[0].view, 1);
	assert_int_equal(bench->found[0].need, 0);
	assert_int_equal(bench->found[0].gpa.v, 8 * PAGE);
	/* A region of the need's own name: who has a rule for it knows. */
	assert_int_equal(policy_add_region(&bench->policy, "need",
					   gpa_at(8 * PAGE), 3 * PAGE, NULL),
			 0);
	lint(bench);
	assert_int_equal(bench->count, 1);
	rights(bench, 1, 2, 0);
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);

	/* Its last page is kept back under another name, or shows something else. */
	for (unsigned i = 0; i < 2; i++) {
		bench = gated();
		bench->need = (struct lint_need){
			"need", { { 8 * PAGE }, 3 * PAGE }, R
		};
		bench->subject.need_count = 1;
		region(bench, 10, 1);
		if (i == 0)
			rights(bench, 0, 2, 0);
		else
			remap(bench, 0, 2, 12);
		lint(bench);
		assert_int_equal(count_of(bench, LINT_NEED, &last), 1);
		assert_int_equal(last.view, 0);
		assert_int_equal(last.gpa.v, 10 * PAGE);
		bench_destroy(bench);
	}

	/* It ends where there is no memory. */
	bench = gated();
	bench->need = (struct lint_need){
		"need", { { (PAGES - 1) * PAGE }, 2 * PAGE }, R
	};
	bench->subject.need_count = 1;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_NEED, &last), 2);
	assert_int_equal(last.gpa.v, PAGES * PAGE);
	bench_destroy(bench);
}

/* The page of what has become #VE, in views where something does. */
static void exceptions(void **state)
{
	static const uint32_t need_region = 2;
	const struct lint_regions suppressed[] = { { 0 }, { &need_region, 1 } };
	struct bench *bench = gated();
	struct lint_warning last;

	(void)state;
	bench->subject.ve_page = (struct lint_need){ "page", { { 8 * PAGE }, PAGE }, R | W };
	lint(bench);
	assert_int_equal(bench->count, 0);
	/* In one place, which is enough; this view can write the page, the other cannot. */
	assert_int_equal(policy_set_ve(&bench->policy, 0, 0, true), 0);
	lint(bench);
	assert_int_equal(bench->count, 0);
	assert_int_equal(policy_set_ve(&bench->policy, 1, 0, true), 0);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_VE_PAGE, &last), 1);
	assert_int_equal(bench->count, 1);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.region, POLICY_NO_INDEX);
	assert_int_equal(last.gpa.v, 8 * PAGE);
	/* A rule about its rights is an answer, one that says only that violations exit there is none. */
	assert_int_equal(policy_add_region(&bench->policy, "page", gpa_at(8 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_set_ve(&bench->policy, 1, need_region, false), 0);
	bench->subject.suppressed = suppressed;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_VE_PAGE, &last), 1);
	bench->subject.suppressed = NULL;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);
}

static void start(void **state)
{
	struct bench *bench = gated();

	(void)state;
	bench->subject.start = gpa_at(4 * PAGE);
	one_warning(bench, LINT_START, 0);
	bench = gated();
	bench->subject.start = gpa_at(PAGES * PAGE);
	one_warning(bench, LINT_START, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(write_execute),
		cmocka_unit_test(alias),
		cmocka_unit_test(random_alias),
		cmocka_unit_test(across),
		cmocka_unit_test(across_views),
		cmocka_unit_test(needs),
		cmocka_unit_test(exceptions),
		cmocka_unit_test(start),
	};

	return cmocka_run_group_tests_name("policy_lint", tests, NULL, NULL);
}
