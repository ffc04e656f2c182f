/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/ledger/summary.h"
#include "vmm/observe/attribution.h"

/* Operations 2 and 4 share a routine; 5 has none; 6 is inside out. */
static struct ss_operation operations[] = {
	{.entry = 0x2000, .end = 0x2100}, {.entry = 0x1000, .end = 0x1080},
	{.entry = 0x2100, .end = 0x2101}, {.entry = 0x1000, .end = 0x1080},
	{.entry = 0, .end = 0},		  {.entry = 0x3000, .end = 0x2f00},
};

static const struct image image = {.operations = operations,
				   .operation_count = ARRAY_SIZE(operations)};

/* The slow way: whichever operation's routine holds the address. */
static uint32_t first_that_holds(uint64_t rip)
{
	for (uint32_t n = 1; n <= ARRAY_SIZE(operations); n++)
		if (operations[n - 1].entry <= rip && rip < operations[n - 1].end)
			return n;
	return 0;
}

static void routines(void **state)
{
	struct attribution places;

	(void)state;
	assert_int_equal(attribution_create(&places, &image), 0);
	for (uint64_t rip = 0; rip < 0x4000; rip++)
		assert_int_equal(attribution_operation(&places, rip), first_that_holds(rip));
	assert_int_equal(attribution_operation(&places, UINT64_MAX), 0);
	attribution_destroy(&places);
}

static void comparison(void **state)
{
	static const struct {
		uint32_t marked;
		uint64_t rip;
		enum agreement agreement;
	} rows[] = {
		{1, 0x2000, AGREEMENT_AGREES},	  {1, 0x20ff, AGREEMENT_AGREES},
		{1, 0x2100, AGREEMENT_DIFFERS},	  {3, 0x2100, AGREEMENT_AGREES},
		{2, 0x1000, AGREEMENT_AGREES},	  {4, 0x1000, AGREEMENT_AGREES},
		{1, 0x107f, AGREEMENT_DIFFERS},	  {1, 0x1080, AGREEMENT_ELSEWHERE},
		{5, 0x9999, AGREEMENT_ELSEWHERE}, {5, 0x2000, AGREEMENT_DIFFERS},
		{6, 0x2f80, AGREEMENT_ELSEWHERE}, {0, 0x2000, AGREEMENT_UNMARKED},
		{0, 0x9999, AGREEMENT_AGREES},	  {1, 0xc0010000, AGREEMENT_ELSEWHERE},
	};
	struct attribution places;

	(void)state;
	assert_int_equal(attribution_create(&places, &image), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(attribution_compare(&places, rows[i].marked, rows[i].rip),
				 rows[i].agreement);
	attribution_destroy(&places);
}

static void no_operations(void **state)
{
	const struct image empty = {0};
	struct attribution places;

	(void)state;
	assert_int_equal(attribution_create(&places, &empty), 0);
	assert_int_equal(attribution_operation(&places, 0x1000), 0);
	assert_int_equal(attribution_compare(&places, 0, 0x1000), AGREEMENT_AGREES);
	attribution_destroy(&places);
	attribution_destroy(NULL);
}

/* The summary counts per operation, keeps a few examples, and takes nothing out of range. */
static void summary(void **state)
{
	struct summary *a = summary_create(), *b = summary_create();
	struct l0_summary sum;

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		struct record_l0_exit exit = {
			.record = {.type = RECORD_L0_EXIT, .size = sizeof(exit), .level = LEVEL_L0},
			.operation = i % 2 ? 3 : 7000,
			.routine = 2,
			.rip = 0x1000 + i / 2,
			.agreement = i % 4 == 3 ? AGREEMENT_DIFFERS : 200,
			.flags = i % 2 ? L0_NESTED | L0_PIO : 0xff00,
		};

		summary_add(i < 20 ? a : b, &exit.record);
	}
	summary_merge(a, b);
	assert_int_equal(a->operations[3].l0.exits, 20);
	assert_int_equal(a->operations[3].l0.flags[L0_BIT_NESTED], 20);
	assert_int_equal(a->operations[3].l0.flags[L0_BIT_PIO], 20);
	assert_int_equal(a->operations[3].l0.flags[L0_BIT_CR], 0);
	assert_int_equal(a->operations[3].l0.agreement[AGREEMENT_DIFFERS], 10);
	assert_int_equal(a->operations[0].l0.exits, 20);
	assert_int_equal(a->disagreement_count, 10);
	assert_int_equal(a->disagreements[0].marked, 3);
	assert_int_equal(a->disagreements[0].routine, 2);
	assert_int_equal(a->disagreements[0].rip, 0x1001);
	assert_int_equal(b->disagreement_count, 0);
	summary_l0(a, &sum);
	assert_int_equal(sum.exits, 40);
	summary_l0(b, &sum);
	assert_int_equal(sum.exits, 0);
	for (uint32_t i = 0; i < 100; i++) {
		struct record_l0_exit exit = {
			.record = {.type = RECORD_L0_EXIT, .size = sizeof(exit)},
			.operation = 1,
			.rip = i,
			.agreement = AGREEMENT_DIFFERS,
		};

		summary_add(a, &exit.record);
	}
	assert_int_equal(a->disagreement_count, SUMMARY_DISAGREEMENTS_MAX);
	assert_int_equal(a->operations[1].l0.agreement[AGREEMENT_DIFFERS], 100);
	summary_destroy(a);
	summary_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routines),
		cmocka_unit_test(comparison),
		cmocka_unit_test(no_operations),
		cmocka_unit_test(summary),
	};

	return cmocka_run_group_tests_name("attribution", tests, NULL, NULL);
}
