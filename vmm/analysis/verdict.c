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
static void check_view(struct report_row *row, const struct record_expectation *expected)
{
	if (row->verdict == VERDICT_PASS && expected->view != UINT32_MAX && row->summary->view != expected->view)
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

static void check_outcome(struct report_row *row, const struct record_expectation *expected)
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
	else if (expected->known && result->value != expected->value)
		disagree(row, "expected value 0x%" PRIx64 ", saw 0x%" PRIx64, expected->value,
			 result->value);
}

/* What the guest says of its first repetitions, each by itself. */
static void check_early(struct report_row *row, const struct record_expectation *expected)
{
	const uint32_t told = row->summary->result.early;

	if (told == 0 && !expected->early_due)
		return;
	for (unsigned i = 0; i < SS_EARLY && row->verdict == VERDICT_PASS; i++) {
		const uint32_t seen = told >> SS_EARLY_BITS * i & ((1u << SS_EARLY_BITS) - 1);

		if ((seen ^ expected->early[i]) & expected->early_mask[i])
			disagree(row, "expected 0x%" PRIx32 " after repetition %u, saw 0x%" PRIx32 " (ss_early() of abi.h)",
				 expected->early[i], i + 1, seen);
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

static void check_exits(struct report_row *row, const struct record_expectation *expected, uint64_t batches,
			enum host_backend backend)
{
	for (int level = 0; level < LEVEL_COUNT && row->verdict == VERDICT_PASS; level++) {
		/* The model speaks of one batch. */
		const bool total = expected->exits[level].how == EXPECT_TOTAL;
		const struct expect_count count = {
			.how = (enum expect_how)expected->exits[level].how,
			.count = expected->exits[level].count * (total ? (unsigned)batches : 1),
		};
		uint64_t observed = observed_exits(row, &count, backend, (enum level)level);

		if (row->exits_known[level] && !expect_agrees(&count, observed, row->summary->repetitions))
			disagree(row,
				 "expected %s%u exits at %s%s, saw %" PRIu64 " in %" PRIu64
				 " repetitions",
				 count.how == EXPECT_AT_LEAST ? "at least " : "", count.count,
				 level_keys[level], total ? "" : " each time",
				 observed, row->summary->repetitions);
	}
}

/* Of writes of CR0 and CR4 the guest always says what its first repetitions have come to. */
static void expect_early(const struct ss_operation *op, const struct expect_environment *environment,
			 struct record_expectation *record)
{
	struct expectation expected;
	uint64_t faults = 0;

	record->early_due = op->kind == SS_KIND_CR0_WRITE || op->kind == SS_KIND_CR4_WRITE;
	for (unsigned i = 0; i < SS_EARLY; i++) {
		expect_operation(environment, op, i + 1, &expected);
		record->early[i] = ss_early(expected.value, expected.faults > faults);
		record->early_mask[i] = expected.value_known ? ~0u : ~SS_EARLY_VALUE;
		faults = expected.faults;
	}
}

void verdict_expect(const struct ss_operation *op, uint32_t number, uint32_t repetitions,
		    const struct expect_environment *environment, struct record_expectation *ret_record)
{
	struct expectation expected;

	expect_operation(environment, op, repetitions, &expected);
	*ret_record = (struct record_expectation){
		.record = {.type = RECORD_EXPECTATION, .size = sizeof(*ret_record)},
		.operation = number,
		.repetitions = repetitions,
		.vector = expected.vector,
		.view = expected.view_known ? expected.view : UINT32_MAX,
		.faults = expected.faults,
		.error_code = expected.error_code,
		.value = expected.value,
		.known = expected.value_known,
	};
	for (int level = 0; level < LEVEL_COUNT; level++) {
		ret_record->exits[level].how = expected.exits[level].how;
		ret_record->exits[level].count = expected.exits[level].count;
	}
	expect_early(op, environment, ret_record);
}

static bool performed(const struct report_row *row, uint64_t batches)
{
	return row->summary->batches == batches && row->summary->result_known && row->summary->result.count != 0;
}

void verdict_compare(struct report_row *row, const struct record_expectation *expected, enum host_backend backend,
		     uint64_t batches)
{
	row->verdict = VERDICT_PASS;
	if (!performed(row, batches) || row->summary->result.count != expected->repetitions) {
		disagree(row, "not performed to the end");
		return;
	}
	check_outcome(row, expected);
	check_early(row, expected);
	check_view(row, expected);
	check_exits(row, expected, batches, backend);
}

void verdict_judge(struct report_row *row, const struct ss_operation *op,
		   const struct expect_environment *environment, uint64_t batches)
{
	struct record_expectation expected = {0};

	if (performed(row, batches))
		verdict_expect(op, row->number, row->summary->result.count, environment, &expected);
	verdict_compare(row, &expected, environment->backend, batches);
}
