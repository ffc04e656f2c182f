/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folded stacks, one a line, "guest;operation;level;reason WEIGHT": what flamegraph.pl and speedscope
 * read.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/analysis/exit_groups.h"
#include "vmm/analysis/observed.h"
#include "vmm/base/printable.h"
#include "vmm/report/report_ledger.h"

static int by_place(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->first.operation != y->first.operation)
		return x->first.operation < y->first.operation ? -1 : 1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return (x->first.reason > y->first.reason) - (x->first.reason < y->first.reason);
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
	struct group_list list;
	int rc = exit_groups_count(contents, GROUP_OPERATION, &list);

	if (list.count)
		qsort(list.groups, list.count, sizeof(*list.groups), by_place);
	for (size_t i = 0; i < list.count; i++) {
		const struct group *group = &list.groups[i];
		uint64_t number = weight == WEIGHT_TICKS ? group->ticks : group->count;

		if (number == 0 || group->level >= LEVEL_COUNT)
			continue;
		put_frame(stream, contents->report.guest);
		fputc(';', stream);
		put_frame(stream, group->first.operation ? ledger_index_operation(contents, group->first.operation)
							 : "outside operations");
		fprintf(stream, ";%s;%s %" PRIu64 "\n", level_keys[group->level],
			ledger_index_reason(contents, group->level, group->first.reason), number);
	}
	exit_groups_finish(&list);
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
