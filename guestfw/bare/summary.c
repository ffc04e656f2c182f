/* SPDX-License-Identifier: GPL-2.0-only */
/* On the screen, for a computer without a serial port: a line for each operation as it ends, and at last how many. */
#include "bare.h"
#include "console.h"
#include "views/expectation.h"

#define NAME_WIDTH 26
#define NUMBER_WIDTH 9

static uint64_t performed, as_expected;

static void put(const char *text, unsigned width, int right)
{
	unsigned length = 0;

	while (text[length])
		length++;
	for (unsigned i = length; right && i < width; i++)
		console_show(' ');
	for (unsigned i = 0; i < length && (right || i < width); i++)
		console_show(text[i]);
	for (unsigned i = length; !right && i < width; i++)
		console_show(' ');
}

static void put_number(uint64_t value, unsigned width)
{
	char digits[24];
	unsigned at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value && at);
	put(digits + at, width, 1);
}

/* What the ledger begins with says of an operation, by the type of the record; NULL: nothing. */
static const struct record *find(uint16_t type, uint32_t operation)
{
	const uint8_t *records = bare_part(bare.plan, bare.plan->records);

	for (uint64_t at = 0; at < bare.plan->records_size; at += ((const struct record *)(records + at))->size) {
		const struct record *record = (const struct record *)(records + at);

		/* Both types have the number first. */
		if (record->type == type && *(const uint32_t *)(record + 1) == operation)
			return record;
	}
	return NULL;
}

static int agrees(const struct record_expectation *expected, enum level level, uint64_t seen, uint64_t repetitions)
{
	const uint32_t how = expected->exits[level].how, count = expected->exits[level].count;

	return how == EXPECT_EXACTLY  ? seen == count * repetitions
	       : how == EXPECT_TOTAL ? seen == count
				     : 1;
}

/* By value, exception and exits; `report` looks at more. */
static int is_as_expected(const struct record_expectation *expected, const struct ss_result *result,
			  const uint64_t counted[])
{
	if (result->faults != expected->faults || (expected->faults && result->vector != expected->vector))
		return 0;
	if (!expected->faults && expected->known && result->value != expected->value)
		return 0;
	return agrees(expected, LEVEL_MONITOR, counted[LEVEL_MONITOR], result->count) &&
	       agrees(expected, LEVEL_VMM, counted[LEVEL_VMM], result->count);
}

/* In front of the first line and behind the last, which is what a screen still has. */
static void show_header(void)
{
	for (const char *c = "OPERATION                 MON/rep  VMM/rep    TICKS\n"; *c; c++)
		console_show(*c);
}

void summary_begin(struct bare_vcpu *state)
{
	if (performed == 0)
		show_header();
	/* The exit of this request is still to be counted, and that of the request which ends the batch has reached the relay
	 * when it is looked at. */
	state->summary.before[LEVEL_MONITOR] = state->exits[LEVEL_MONITOR] + 2;
	state->summary.before[LEVEL_VMM] = state->exits[LEVEL_VMM] + 1;
}

void summary_end(struct bare_vcpu *state)
{
	for (unsigned level = 0; level < LEVEL_COUNT; level++)
		state->summary.counted[level] = state->exits[level] - state->summary.before[level];
}

static void show_row(const struct ss_result *result, const uint64_t counted[], int agrees_with_model)
{
	const struct record_operation *name = (const void *)find(RECORD_OPERATION, result->operation);
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < result->samples; i++)
		if (result->ticks[i] < least)
			least = result->ticks[i];
	least = least > result->overhead ? least - result->overhead : 0;
	put(name ? name->name : "?", NAME_WIDTH, 0);
	put_number(result->count ? counted[LEVEL_MONITOR] / result->count : 0, NUMBER_WIDTH - 2);
	put_number(result->count ? counted[LEVEL_VMM] / result->count : 0, NUMBER_WIDTH);
	put_number(result->sample_size ? least / result->sample_size : 0, NUMBER_WIDTH);
	if (!agrees_with_model)
		put("  not as the model says", NAME_WIDTH, 0);
	console_show('\n');
}

/* Of several vCPUs the first one has the row, and each that is not as expected. */
void summary_result(const struct bare_vcpu *state, const struct ss_result *result)
{
	const struct record_expectation *expected = (const void *)find(RECORD_EXPECTATION, result->operation);
	const uint64_t *counted = state->summary.counted;
	const int agrees_with_model = !expected || is_as_expected(expected, result, counted);

	performed++;
	as_expected += expected && agrees_with_model;
	if (state == bare.vcpus || !agrees_with_model)
		show_row(result, counted, agrees_with_model);
}

void summary_tell(void)
{
	if (performed == 0)
		return;
	show_header();
	put("operations performed:", 22, 0);
	put_number(performed, 1);
	put(", as the model says:", 21, 0);
	put_number(as_expected, 1);
	console_show('\n');
}
