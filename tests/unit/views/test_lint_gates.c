/* SPDX-License-Identifier: GPL-2.0-only */
/* Where views execute VMFUNC, and their gates. */
#include "tests/unit/cmocka_prelude.h"

#include "effect.h"
#include "lint_fixture.h"
#include "scenario.h"

/* What the check must find, byte by byte. */
static bool view_byte(const struct bench *bench, uint32_t view_index, uint64_t at,
		      uint8_t wanted)
{
	const struct view_effect effect =
		policy_effect(&bench->policy, view_index, gpa_at(at));

	return at < PAGES * PAGE && effect.rights & X &&
	       bench->bytes[effect.target.v] == wanted;
}

static void expect_vmfunc(const struct bench *bench, uint32_t view_index)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		uint64_t wanted = 0, found = 0;

		for (uint64_t at = page * PAGE; at < (page + 1) * PAGE; at++)
			wanted += view_byte(bench, view_index, at, 0x0f) &&
				  view_byte(bench, view_index, at + 1, 0x01) &&
				  view_byte(bench, view_index, at + 2, 0xd4);
		for (size_t i = 0; i < bench->count; i++) {
			const struct lint_warning *warning = &bench->found[i];

			if (warning->kind == LINT_VMFUNC &&
			    warning->view == view_index &&
			    warning->gpa.v / PAGE == page) {
				assert_int_equal(found, 0);
				found = warning->count;
			}
		}
		assert_int_equal(found, wanted);
	}
}

/* Random views of random bytes, with VMFUNC at and around page boundaries. */
static void vmfunc(void **state)
{
	uint64_t seed = 11, found = 0, across = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct bench *bench = bench_create();

		for (unsigned i = 0; i < 6; i++) {
			uint64_t at = random_below(&seed, PAGES - 1) * PAGE;

			at += random_below(&seed, 3) ?
				      PAGE - 3 + random_below(&seed, 5) :
				      random_below(&seed, PAGE);
			vmfunc_at(bench, at < PAGES * PAGE - 3 ? at : 0);
		}
		/* Parts of it at either end of a page, for remaps to join. */
		bench->bytes[random_below(&seed, PAGES) * PAGE + PAGE - 1] = 0x0f;
		bench->bytes[random_below(&seed, PAGES) * PAGE] = 0x01;
		bench->bytes[random_below(&seed, PAGES) * PAGE + 1] = 0xd4;
		for (uint64_t page = 0; page < PAGES; page += 2)
			region(bench, page, 1 + random_below(&seed, 2));
		view(bench, "a", random_below(&seed, 2) ? R | X : R);
		view(bench, "b", random_below(&seed, 2) ? R | X : R | W);
		for (uint32_t v = 0; v < 2; v++) {
			bench->views[v].writes_code = true;
			for (uint32_t r = 0; r < PAGES / 2; r++) {
				if (random_below(&seed, 2))
					rights(bench, v, r,
					       random_below(&seed, 3) ? R | X : R);
				if (random_below(&seed, 2) == 0)
					remap(bench, v, r,
					      random_below(&seed, PAGES - 1));
			}
		}
		lint(bench);
		for (uint32_t v = 0; v < 2; v++)
			expect_vmfunc(bench, v);
		for (size_t i = 0; i < bench->count; i++) {
			found += bench->found[i].kind == LINT_VMFUNC;
			across += bench->found[i].kind == LINT_VMFUNC &&
				  bench->found[i].gpa.v % PAGE > PAGE - 3;
		}
		bench_destroy(bench);
	}
	/* It was not about nothing. */
	assert_true(found > 500);
	assert_true(across > 50);
}

/* Bytes that come in parts, one behind the other, as segments do. */
static void parts(void **state)
{
	static const uint8_t first[] = { 0x90, 0x0f }, second[] = { 0x01, 0xd4 };
	const struct lint_bytes bytes[] = {
		{ gpa_at(PAGE - 2), sizeof(first), first },
		{ gpa_at(PAGE), sizeof(second), second },
	};
	struct bench *bench = bench_create();

	(void)state;
	view(bench, "v", R | X);
	bench->subject.bytes = bytes;
	bench->subject.bytes_count = 2;
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].gpa.v, PAGE - 1);
	/* The rest of memory is zero. */
	bench->subject.bytes_count = 1;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench_destroy(bench);
}

/* What is between two parts is zero as well. */
static void gap(void **state)
{
	static const uint8_t first[] = { 0x0f }, second[] = { 0x01, 0xd4 };
	struct lint_bytes bytes[] = {
		{ gpa_at(PAGE + 100), sizeof(first), first },
		{ gpa_at(PAGE + 102), 1, second + 1 },
	};
	struct bench *bench = bench_create();

	(void)state;
	view(bench, "v", R | X);
	bench->subject.bytes = bytes;
	bench->subject.bytes_count = 2;
	lint(bench);
	assert_int_equal(bench->count, 0);
	bytes[1] = (struct lint_bytes){ gpa_at(PAGE + 101), 2, second };
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].gpa.v, PAGE + 100);
	bench_destroy(bench);
}

static void gates(void **state)
{
	struct bench *bench = gated();
	struct lint_warning last;

	(void)state;
	lint(bench);
	assert_int_equal(bench->count, 0);

	/* A view that lists no gate is entered through that page all the same. */
	bench->views[1].gate_count = 0;
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].kind, LINT_VMFUNC);
	assert_int_equal(bench->found[0].view, 1);
	assert_int_equal(bench->found[0].region, 0);
	assert_int_equal(bench->found[0].gpa.v, 3 * PAGE + 100);
	bench_destroy(bench);

	bench = gated();
	rights(bench, 1, 0, R);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_GATE_NOT_EXECUTABLE, &last), 1);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.region, 0);
	assert_int_equal(count_of(bench, LINT_GATE_ALONE, &last), 1);
	assert_int_equal(last.view, 0);
	bench_destroy(bench);

	bench = gated();
	bench->bytes[3 * PAGE + 102] = 0xd5;
	bench->views[0].gate_count = 0;
	one_warning(bench, LINT_GATE_WITHOUT_VMFUNC, 1);

	/* One whose end may not be executed is none. */
	bench = gated();
	bench->bytes[3 * PAGE + 102] = 0xd5;
	vmfunc_at(bench, 4 * PAGE - 2);
	bench->views[0].gate_count = 0;
	one_warning(bench, LINT_GATE_WITHOUT_VMFUNC, 1);

	/* One behind the gate is none at the gate. */
	bench = gated();
	bench->bytes[3 * PAGE + 102] = 0xd5;
	vmfunc_at(bench, 5 * PAGE + 100);
	rights(bench, 1, 1, R | X);
	rights(bench, 0, 1, R);
	bench->views[0].gate_count = 0;
	lint(bench);
	assert_int_equal(count_of(bench, LINT_VMFUNC, &last), 1);
	assert_int_equal(count_of(bench, LINT_GATE_WITHOUT_VMFUNC, &last), 1);
	assert_int_equal(last.view, 1);
	bench_destroy(bench);

	bench = gated();
	rights(bench, 0, 0, R | W | X);
	bench->views[0].writes_code = bench->views[1].writes_code = true;
	one_warning(bench, LINT_GATE_WRITABLE, 0);

	/* The same page under another address. */
	bench = gated();
	rights(bench, 1, 1, R | W);
	remap(bench, 1, 1, 3);
	bench->views[0].writes_code = bench->views[1].writes_code = true;
	lint(bench);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->found[0].kind, LINT_GATE_WRITABLE);
	assert_int_equal(bench->found[0].view, 1);
	assert_int_equal(bench->found[0].region, 1);
	assert_int_equal(bench->found[0].other_region, 0);
	bench_destroy(bench);

	/* Another page at the gate, with a VMFUNC of its own. */
	bench = gated();
	vmfunc_at(bench, 6 * PAGE + 100);
	rights(bench, 0, 1, R);
	remap(bench, 1, 0, 6);
	lint(bench);
	assert_int_equal(count_of(bench, LINT_GATE_DIFFERS, &last), 2);
	assert_int_equal(last.view, 1);
	assert_int_equal(last.other_view, 0);
	bench_destroy(bench);
}

/* Views that are entered through either of two pages. */
static void two_gates(void **state)
{
	static const uint32_t both[] = { 2, 0 };
	struct bench *bench = gated();

	(void)state;
	region(bench, 7, 1);
	vmfunc_at(bench, 7 * PAGE);
	for (uint32_t v = 0; v < 2; v++) {
		rights(bench, v, 2, R | X);
		bench->views[v] = (struct lint_view){ both, 2, false };
	}
	lint(bench);
	assert_int_equal(bench->count, 0);
	bench->views[0].writes_code = bench->views[1].writes_code = true;
	rights(bench, 1, 0, R | W | X);
	one_warning(bench, LINT_GATE_WRITABLE, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmfunc),
		cmocka_unit_test(parts),
		cmocka_unit_test(gap),
		cmocka_unit_test(gates),
		cmocka_unit_test(two_gates),
	};

	return cmocka_run_group_tests_name("lint_gates", tests, NULL, NULL);
}
