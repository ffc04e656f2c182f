/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folded stacks, one a line, "guest;operation;level;reason WEIGHT": what flamegraph.pl and speedscope
 * read. What was in no operation has the function in its place, so that equal ones are one frame: without an address,
 * which would tell them apart.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/analysis/observed.h"
#include "vmm/base/printable.h"
#include "vmm/base/progress.h"
#include "vmm/report/report_ledger.h"

struct stack {
	uint32_t operation;
	uint64_t function; /* of an exit in no operation, 0: not known */
	uint16_t level, reason;
	uint64_t exits, ticks;
};

struct stacks {
	struct stack *all;
	struct keyset keys;
};

static int by_place(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;

	if (x->operation != y->operation)
		return x->operation < y->operation ? -1 : 1;
	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return (x->reason > y->reason) - (x->reason < y->reason);
}

static uint64_t function_of(const struct ledger_index *contents, uint64_t rip)
{
	const uint64_t place = ledger_index_place(contents, rip);

	return ledger_index_place_unnamed(place) ? 0 : place;
}

static int count_exit(struct stacks *stacks, const struct ledger_index *contents, const struct record_exit *exit)
{
	const struct stack new = {.operation = exit->operation,
				  .function = exit->operation ? 0 : function_of(contents, exit->rip),
				  .level = exit->record.level,
				  .reason = exit->reason};
	const size_t known = stacks->keys.count;
	int64_t number = keyset_add(&stacks->keys, (struct key){new.function, (uint64_t)new.operation << 32 |
										      (uint64_t)new.level << 16 | new.reason});
	struct stack *all;

	if (number < 0)
		return -ENOMEM;
	if ((size_t)number == known) {
		all = realloc(stacks->all, stacks->keys.capacity * sizeof(*all));
		if (!all)
			return -ENOMEM;
		stacks->all = all;
		all[number] = new;
	}
	stacks->all[number].exits++;
	stacks->all[number].ticks += exit->cost;
	return 0;
}

static int count_all(struct stacks *stacks, struct ledger_index *contents)
{
	const struct record *record;
	struct record_exit exit;
	int rc = 0;

	progress_step("counting stacks");
	ledger_rewind(&contents->reader);
	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL)
		if (ledger_index_exit(record, &exit) && exit.record.level < LEVEL_COUNT)
			rc = count_exit(stacks, contents, &exit);
	return rc;
}

/* A semicolon separates frames. */
static void put_frame(FILE *stream, const char *text)
{
	for (; *text; text++) {
		const char one[2] = {*text == ';' ? ',' : *text, '\0'};

		printable_put(stream, one);
	}
}

static void put_stack(const struct ledger_index *contents, const struct stack *stack, uint64_t number, FILE *stream)
{
	put_frame(stream, contents->report.guest);
	fputc(';', stream);
	if (stack->operation)
		put_frame(stream, ledger_index_operation(contents, stack->operation));
	else
		put_frame(stream, stack->function ? ledger_index_place_name(contents, stack->function)
						  : "outside operations");
	fprintf(stream, ";%s;%s %" PRIu64 "\n", level_keys[stack->level],
		ledger_index_reason(contents, stack->level, stack->reason), number);
}

int report_folded(struct ledger_index *contents, enum report_weight weight, FILE *stream)
{
	struct stacks stacks = {0};
	int rc = count_all(&stacks, contents);

	if (rc == 0 && stacks.keys.count)
		qsort(stacks.all, stacks.keys.count, sizeof(*stacks.all), by_place);
	for (size_t i = 0; rc == 0 && i < stacks.keys.count; i++) {
		const uint64_t number = weight == WEIGHT_TICKS ? stacks.all[i].ticks : stacks.all[i].exits;

		if (number != 0)
			put_stack(contents, &stacks.all[i], number, stream);
	}
	free(stacks.all);
	keyset_finish(&stacks.keys);
	return rc;
}

uint64_t folded_left_out(struct ledger_index *contents)
{
	const struct record *record;
	struct record_exit exit;
	uint64_t count = 0;

	progress_step("counting what is left out");
	ledger_rewind(&contents->reader);
	while ((record = ledger_next(&contents->reader)) != NULL)
		if (ledger_index_exit(record, &exit) && exit.record.level < LEVEL_COUNT)
			count += !observed_cost(exit.cost);
	return count;
}
