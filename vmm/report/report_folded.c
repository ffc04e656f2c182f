/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folded stacks, one a line, "guest;operation;level;reason WEIGHT": what flamegraph.pl and speedscope
 * read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/analysis/observed.h"
#include "vmm/base/printable.h"
#include "vmm/report/report_ledger.h"

struct stack {
	uint32_t operation;
	uint16_t level, reason;
	uint64_t weight;
};

struct stacks {
	struct keyset keys;
	struct stack *list;
	size_t count;
};

static int count_exit(struct stacks *stacks, const struct record_exit *exit,
		      enum report_weight weight)
{
	struct key key = {(uint64_t)exit->record.level << 16 | exit->reason, exit->operation};
	int64_t number = keyset_add(&stacks->keys, key);
	struct stack *list;

	if (number < 0)
		return (int)number;
	if ((size_t)number == stacks->count) {
		list = realloc(stacks->list, stacks->keys.capacity * sizeof(*list));
		if (!list)
			return -ENOMEM;
		stacks->list = list;
		list[stacks->count++] =
			(struct stack){exit->operation, exit->record.level, exit->reason, 0};
	}
	stacks->list[number].weight += weight == WEIGHT_TICKS ? exit->cost : 1;
	return 0;
}

static int count_exits(struct stacks *stacks, struct ledger_reader *reader,
		       enum report_weight weight)
{
	const struct record *record;
	struct record_exit exit;
	int rc = 0;

	ledger_rewind(reader);
	while (rc == 0 && (record = ledger_next(reader)) != NULL)
		if (ledger_index_exit(record, &exit) && exit.record.level < LEVEL_COUNT)
			rc = count_exit(stacks, &exit, weight);
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;

	if (x->operation != y->operation)
		return x->operation < y->operation ? -1 : 1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return (x->reason > y->reason) - (x->reason < y->reason);
}

/* A semicolon separates frames. */
static void put_frame(FILE *stream, const char *text)
{
	for (; *text; text++) {
		const char one[2] = {*text == ';' ? ',' : *text, '\0'};

		printable_put(stream, one);
	}
}

int report_folded(struct ledger_index *contents, enum report_weight weight, FILE *stream)
{
	struct stacks stacks = {0};
	int rc = count_exits(&stacks, &contents->reader, weight);

	if (rc == 0 && stacks.count)
		qsort(stacks.list, stacks.count, sizeof(*stacks.list), by_place);
	for (size_t i = 0; i < stacks.count && rc == 0; i++) {
		const struct stack *stack = &stacks.list[i];

		if (stack->weight == 0)
			continue;
		put_frame(stream, contents->report.guest);
		fprintf(stream, ";%s;%s;%s %" PRIu64 "\n",
			stack->operation ? ledger_index_operation(contents, stack->operation)
					 : "outside operations",
			level_keys[stack->level],
			ledger_index_reason(contents, stack->level, stack->reason), stack->weight);
	}
	free(stacks.list);
	keyset_finish(&stacks.keys);
	return rc;
}

uint64_t folded_left_out(struct ledger_index *contents)
{
	const struct record *record;
	struct record_exit exit;
	uint64_t count = 0;

	ledger_rewind(&contents->reader);
	while ((record = ledger_next(&contents->reader)) != NULL)
		if (ledger_index_exit(record, &exit) && exit.record.level < LEVEL_COUNT)
			count += !observed_cost(exit.cost);
	return count;
}
