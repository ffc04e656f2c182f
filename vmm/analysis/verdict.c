/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void disagree(struct report_row *row,
							   const char *format, ...)
{
	va_list args;

	row->verdict = VERDICT_FAIL;
	va_start(args, format);
	vsnprintf(row->note, sizeof(row->note), format, args);
	va_end(args);
}

/* The processor stores the new pointer back into the control structure. */
static void check_view(struct report_row *row, const struct expectation *expected)
{
	if (row->verdict == VERDICT_PASS && expected->view_known &&
	    row->summary->view != expected->view)
		disagree(row, "expected view %" PRIu32 " in the control structure, found %" PRIu32,
			 expected->view, row->summary->view);
}

static void check_outcome(struct report_row *row, const struct expectation *expected)
{
	const struct ss_result *result = &row->summary->result;
	const char *wanted = vector_name(expected->vector);
	bool faults = expected->vector != SS_NO_VECTOR;

	if (row->summary->results_differ)
		disagree(row, "vCPUs or VMs disagree about the outcome");
	else if (faults && (result->faults != result->count || result->vector != expected->vector))
		disagree(row, "expected %s every time, saw %" PRIu32 " faults of vector %" PRIu32
			      " in %" PRIu32 " repetitions",
			 wanted ? wanted : "a fault", result->faults, result->vector, result->count);
	else if (!faults && result->faults != 0)
		disagree(row, "expected no fault, saw %" PRIu32 " of vector %" PRIu32, result->faults,
			 result->vector);
	else if (expected->value_known && result->value != expected->value)
		disagree(row, "expected value 0x%" PRIx64 ", saw 0x%" PRIx64, expected->value,
			 result->value);
}

/* Exits that were recorded one by one must agree exactly, those that a counter saw after rounding. */
static uint64_t observed_exits(const struct report_row *row, int level)
{
	return level == LEVEL_L0 ? row->exits[level] * row->summary->repetitions
				 : row->summary->exits[level];
}

static void check_exits(struct report_row *row, const struct expectation *expected)
{
	for (int level = 0; level < LEVEL_COUNT && row->verdict == VERDICT_PASS; level++) {
		const struct expect_count *count = &expected->exits[level];
		uint64_t observed = observed_exits(row, level);

		if (row->exits_known[level] &&
		    !expect_agrees(count, observed, row->summary->repetitions))
			disagree(row,
				 "expected %s%u exits at %s each time, saw %" PRIu64 " in %" PRIu64
				 " repetitions",
				 count->how == EXPECT_AT_LEAST ? "at least " : "", count->count,
				 level_keys[level], observed, row->summary->repetitions);
	}
}

void verdict_judge(struct report_row *row, const struct ss_operation *op,
		   const struct expect_environment *environment, uint64_t batches)
{
	struct expectation expected;

	row->verdict = VERDICT_PASS;
	if (row->summary->batches != batches || !row->summary->result_known) {
		disagree(row, "not performed to the end");
		return;
	}
	expect_operation(environment, op, row->summary->result.count, &expected);
	check_outcome(row, &expected);
	check_view(row, &expected);
	check_exits(row, &expected);
}
