/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of a report, from what a run or a ledger says of each operation. */
#include <string.h>

#include "vmm/analysis/report.h"

void report_measure(const struct report *report, struct report_row *row)
{
	struct tick_summary empty = {0};

	if (!row->loop)
		row->loop = report->loop;
	for (int level = 0; level < LEVEL_COUNT; level++)
		row->exits_known[level] = summary_exits(row->summary, row->loop, report->backend,
							(enum level)level, &row->exits[level]);
	row->placement = summary_placement(row->summary, row->loop, report->backend);
	/* What no level that is seen had to do with may have ended at the one that is not. */
	if (report->below && row->placement == PLACEMENT_CPU)
		row->placement = PLACEMENT_UNKNOWN;
	summary_ticks(row->summary, &row->ticks);
	if (row->loop)
		summary_ticks(row->loop, &empty);
	row->eet = row->ticks.median - empty.median;
}

size_t report_rows_most(const struct report *report)
{
	return report->vm_count ? report->vm_count : 1;
}

bool report_plans_differ(const struct report *report)
{
	const char *first = NULL;

	for (size_t i = 0; i < REPORT_VMS_MAX; i++) {
		if (!report->plans[i])
			continue;
		if (!first)
			first = report->plans[i];
		else if (strcmp(first, report->plans[i]) != 0)
			return true;
	}
	return false;
}

static bool left_a_trace(const struct operation_summary *operation)
{
	return operation->batches || operation->result_known || operation->l0.exits ||
	       operation->exits[LEVEL_MONITOR] || operation->exits[LEVEL_VMM];
}

/* The row of one VM; false if it has none. */
static bool row_of_vm(const struct report *report, const struct report_row *like, size_t vm,
		      struct report_row *row)
{
	const struct summary *summary = report->vm_summaries[vm];

	if (!summary || (!report->rows_for_all && !left_a_trace(&summary->operations[like->number])))
		return false;
	*row = *like;
	row->vm = (int)vm;
	row->summary = &summary->operations[like->number];
	if (report->loop_number)
		row->loop = &summary->operations[report->loop_number];
	report_measure(report, row);
	return true;
}

/* What a counter of the kernel sees at L0 has the host's own doings in it: there only the placement counts. */
static bool same_place(const struct report_row *a, const struct report_row *b)
{
	return a->placement == b->placement && a->exits[LEVEL_MONITOR] == b->exits[LEVEL_MONITOR] &&
	       a->exits[LEVEL_VMM] == b->exits[LEVEL_VMM];
}

/* Whether one row would be true of every VM. */
static bool rows_agree(const struct report_row *rows, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (!same_place(&rows[0], &rows[i]))
			return false;
	return true;
}

size_t report_add_rows(struct report *report, const struct report_row *like)
{
	struct report_row *rows = &report->rows[report->row_count];
	size_t count = 0;

	for (size_t vm = 0; vm < report->vm_count; vm++)
		count += row_of_vm(report, like, vm, &rows[count]);
	if (count == 0 || (!report_plans_differ(report) && rows_agree(rows, count))) {
		count = 1;
		rows[0] = *like;
		rows[0].vm = REPORT_ALL_VMS;
		rows[0].summary = &report->summary->operations[like->number];
		if (!left_a_trace(rows[0].summary) && !report->rows_for_all)
			return 0;
		report_measure(report, &rows[0]);
	}
	report->row_count += count;
	return count;
}

const char *report_row_name(const struct report_row *row, char buffer[ROW_NAME_SIZE])
{
	if (row->vm == REPORT_ALL_VMS)
		return row->name;
	snprintf(buffer, ROW_NAME_SIZE, "%s of VM %d", row->name, row->vm);
	return buffer;
}

static const struct report_row *compared_with(const struct report *report,
					      const struct report_row *row)
{
	const struct report_row *of_all = NULL;

	for (size_t i = 0; i < report->row_count && row->compared; i++) {
		const struct report_row *other = &report->rows[i];

		if (other->number != row->compared || !other->summary)
			continue;
		if (other->vm == row->vm)
			return other;
		if (other->vm == REPORT_ALL_VMS)
			of_all = other;
	}
	return of_all;
}

void report_compare(struct report *report)
{
	for (size_t i = 0; i < report->row_count; i++) {
		struct report_row *row = &report->rows[i];
		const struct report_row *base = compared_with(report, row);

		if (base && base->ticks.median > 0 && row->ticks.samples)
			row->ratio = row->ticks.median / base->ticks.median;
	}
}
