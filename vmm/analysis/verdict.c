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

/* How often something was to happen that may happen in every repetition, in words. */
#define OFTEN_SIZE 32
static const char *often(uint64_t wanted, uint64_t repetitions, char text[OFTEN_SIZE])
{
	if (wanted == repetitions)
		return "every time";
	snprintf(text, OFTEN_SIZE, "%" PRIu64 " times", wanted);
	return text;
}

static void check_outcome(struct report_row *row, const struct expectation *expected)
{
	const struct ss_result *result = &row->summary->result;
	const char *wanted = vector_name(expected->vector);
	char text[OFTEN_SIZE];

	if (row->summary->results_differ)
		disagree(row, "vCPUs or VMs disagree about the outcome");
	else if (expected->faults != 0 &&
		 (result->faults != expected->faults || result->vector != expected->vector))
		disagree(row, "expected %s %s, saw %" PRIu32 " faults of vector %" PRIu32 " in %" PRIu32
			      " repetitions",
			 wanted ? wanted : "a fault", often(expected->faults, result->count, text),
			 result->faults, result->vector, result->count);
	else if (expected->faults != 0 && result->error_code != expected->error_code)
		disagree(row, "expected %s with error code 0x%" PRIx64 ", saw 0x%" PRIx64,
			 wanted ? wanted : "a fault", expected->error_code, result->error_code);
	else if (expected->faults == 0 && result->faults != 0)
		disagree(row, "expected no fault, saw %" PRIu32 " of vector %" PRIu32, result->faults,
			 result->vector);
	else if (expected->value_known && result->value != expected->value)
		disagree(row, "expected value 0x%" PRIx64 ", saw 0x%" PRIx64, expected->value,
			 result->value);
}

/* What the guest says of its first repetitions, each by itself; of writes of CR0 and CR4 it always does. */
static void check_early(struct report_row *row, const struct ss_operation *op,
			const struct expect_environment *environment)
{
	const uint32_t told = row->summary->result.early;
	struct expectation expected;
	uint64_t faults = 0;

	if (told == 0 && op->kind != SS_KIND_CR0_WRITE && op->kind != SS_KIND_CR4_WRITE)
		return;
	for (unsigned i = 0; i < SS_EARLY && row->verdict == VERDICT_PASS; i++) {
		const uint32_t seen = told >> SS_EARLY_BITS * i & ((1u << SS_EARLY_BITS) - 1);
		uint32_t wanted;

		expect_operation(environment, op, i + 1, &expected);
		wanted = ss_early(expected.value, expected.faults > faults);
		faults = expected.faults;
		if ((seen ^ wanted) & (expected.value_known ? ~0u : ~SS_EARLY_VALUE))
			disagree(row,
				 "expected 0x%" PRIx64 "%s after repetition %u, saw 0x%" PRIx32
				 " where that is 0x%" PRIx32 " (ss_early() of abi.h)",
				 expected.value, wanted & SS_EARLY_FAULT ? " and a fault" : "", i + 1, seen,
				 wanted);
	}
}

/*
 * Exits that were recorded one by one must agree exactly. Of those that a counter saw some belong to no repetition:
 * L0 comes to pages that nobody has touched before. They are fewer than half of the repetitions.
 */
static uint64_t observed_exits(const struct report_row *row, const struct expect_count *count,
			       enum host_backend backend, enum level level)
{
	const struct operation_summary *summary = row->summary;
	double total = 0;

	if (level != LEVEL_L0)
		return summary->exits[level];
	if (count->how != EXPECT_TOTAL)
		return row->exits[level] * summary->repetitions;
	summary_exits_total(summary, row->loop, backend, level, &total);
	total -= count->count;
	return total >= -0.5 && total < (double)summary->repetitions / 2 ? count->count
								       : summary_whole(total + count->count);
}

static void check_exits(struct report_row *row, const struct expectation *expected,
			enum host_backend backend)
{
	for (int level = 0; level < LEVEL_COUNT && row->verdict == VERDICT_PASS; level++) {
		const struct expect_count *count = &expected->exits[level];
		uint64_t observed = observed_exits(row, count, backend, (enum level)level);

		if (row->exits_known[level] &&
		    !expect_agrees(count, observed, row->summary->repetitions))
			disagree(row,
				 "expected %s%u exits at %s%s, saw %" PRIu64 " in %" PRIu64
				 " repetitions",
				 count->how == EXPECT_AT_LEAST ? "at least " : "", count->count,
				 level_keys[level], count->how == EXPECT_TOTAL ? "" : " each time",
				 observed, row->summary->repetitions);
	}
}

/* The model speaks of one batch. */
static void add_batches(struct expectation *expected, uint64_t batches)
{
	for (int level = 0; level < LEVEL_COUNT; level++)
		if (expected->exits[level].how == EXPECT_TOTAL)
			expected->exits[level].count *= (unsigned)batches;
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
	add_batches(&expected, batches);
	check_outcome(row, &expected);
	check_early(row, op, environment);
	check_view(row, &expected);
	check_exits(row, &expected, environment->backend);
}
