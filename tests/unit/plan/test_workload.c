/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vmm/plan/workload.h"

static const struct ss_operation operations[] = {
	{.name = "cr0.ts.mov", .count = 1000},
	{.name = "cr0.mp.mov", .count = 1000},
	{.name = "ref.wbinvd", .count = 100},
	{.name = "view.cycle4.vmfunc", .count = 512},
};

static int parse(const char *text, struct workload *workload, struct error *error)
{
	*error = (struct error){0};
	return workload_parse(workload, text, operations, ARRAY_SIZE(operations), error);
}

/* Whatever the rate, count and period keep it, in batches that the firmware does as they are. */
static void rates(void **state)
{
	static const double rates[] = {0.01, 0.5, 1, 2, 3, 7, 49, 50, 51, 99, 100, 1000, 4999, 12345,
				       1000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct workload workload;
		struct error error;
		char text[40];

		snprintf(text, sizeof(text), "*@%.2f", rates[i]);
		assert_int_equal(parse(text, &workload, &error), 0);
		for (size_t j = 0; j < ARRAY_SIZE(operations); j++) {
			const struct ss_pace *pace = &workload.pace[j];
			double kept = pace->count * 1e6 / pace->period_us;

			assert_in_range(pace->count, 1, operations[j].count);
			assert_true(pace->count < 10 || pace->count % 10 == 0);
			assert_true(fabs(kept - rates[i]) <= 0.001 * rates[i]);
			/* Several batches a second, unless that is less than one repetition. */
			assert_true(pace->period_us <= 250000 || pace->count == 1);
		}
	}
}

static void selection(void **state)
{
	struct workload workload;
	struct error error;

	(void)state;
	assert_int_equal(parse("cr0.*", &workload, &error), 0);
	assert_int_equal(workload.pace[0].count, 1000);
	assert_int_equal(workload.pace[0].period_us, 0);
	assert_int_equal(workload.pace[1].count, 1000);
	assert_int_equal(workload.pace[2].count, 0);
	assert_int_equal(workload.pace[3].count, 0);
	/* The last that matches counts. */
	assert_int_equal(parse("*@1,cr0.mp.*@10", &workload, &error), 0);
	assert_int_equal(workload.pace[0].period_us, 1000000);
	assert_int_equal(workload.pace[1].count, 2);
	assert_int_equal(workload.pace[1].period_us, 200000);
	assert_int_equal(parse("view.*", &workload, &error), 0);
	assert_int_equal(workload.pace[3].count, 510);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"nothing", "no operation matches 'nothing'"},
		{"", "no operation matches ''"},
		{"cr0.*,", "no operation matches ''"},
		{"cr0.*@", "'' is no rate"},
		{"cr0.*@0", "'0' is no rate"},
		{"cr0.*@-1", "'-1' is no rate"},
		{"cr0.*@1e9", "'1e9' is no rate"},
		{"cr0.*@0x10", "'0x10' is no rate"},
		{"cr0.*@nan", "'nan' is no rate"},
		{"cr0.*@1.2.3", "'1.2.3' is no rate"},
		{"cr0.*@1000001", "'1000001' is no rate"},
		{"cr0.*@5,none", "no operation matches 'none'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct workload workload;
		struct error error;

		assert_true(parse(rows[i].text, &workload, &error) < 0);
		assert_int_equal(error.status, STATUS_USAGE);
		assert_non_null(strstr(error.text, rows[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(selection),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("workload", tests, NULL, NULL);
}
