/* SPDX-License-Identifier: GPL-2.0-only */
/* Two ledgers with operations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/diff_kinds.h"

static const enum column operation_columns[DIFF_COLUMNS] = {
	COLUMN_L0, COLUMN_MONITOR, COLUMN_VMM, COLUMN_PLACEMENT, COLUMN_TICKS_MEDIAN,
};

static struct cell name_of(const struct diff *diff, const struct diff_row *row, size_t i)
{
	const struct report_row *a = row->row[0], *b = row->row[1];
	const struct report_row *named = !a || (b && a->vm == REPORT_ALL_VMS) ? b : a;

	(void)diff;
	if (i == 0)
		return cell_of_text(named->name);
	return named->vm == REPORT_ALL_VMS ? cell_of_text(NULL)
					   : cell_of_count(true, (uint64_t)named->vm);
}

static struct cell cell_of(const struct diff *diff, const struct diff_row *row, int side, size_t column)
{
	return row->row[side] ? report_cell(&diff->contents[side]->report, row->row[side], operation_columns[column])
			      : cell_of_text(NULL);
}

/* A row of all VMs is one of each. */
static bool same_vm(const struct report_row *a, const struct report_row *b)
{
	return a->vm == b->vm || a->vm == REPORT_ALL_VMS || b->vm == REPORT_ALL_VMS;
}

/* By name; where several have it, that with the same number comes first. What has no name is known by its number. */
static const struct report_row *find_row(const struct report *report, const struct report_row *wanted)
{
	const struct report_row *named = NULL;

	for (size_t i = 0; i < report->row_count; i++) {
		const struct report_row *row = &report->rows[i];

		if (strcmp(row->name, wanted->name) != 0 || !same_vm(row, wanted))
			continue;
		if (row->number == wanted->number)
			return row;
		if (!named && row->name[0] != '?')
			named = row;
	}
	return named;
}

static void add_row(struct diff *diff, const struct report_row *a, const struct report_row *b)
{
	struct diff_row *row = &diff->rows[diff->row_count++];

	*row = (struct diff_row){.row = {a, b}};
	diff_judge(diff, row);
}

/* Where one side has a row for every VM and the other one row for all, that is compared with each. */
static void add_pairs(struct diff *diff, const struct report_row *a, const struct report *b)
{
	const struct report_row *first = find_row(b, a);

	if (!first || a->vm != REPORT_ALL_VMS) {
		add_row(diff, a, first);
		return;
	}
	for (size_t i = 0; i < b->row_count; i++)
		if (b->rows[i].number == first->number)
			add_row(diff, a, &b->rows[i]);
}

static size_t pairs_most(const struct report *a, const struct report *b)
{
	return a->row_count * report_rows_most(b) + b->row_count + 1;
}

static int make(struct diff *diff)
{
	const struct report *a = &diff->contents[0]->report, *b = &diff->contents[1]->report;

	diff->names[0] = report_columns[COLUMN_OPERATION];
	diff->names[1] = report_columns[COLUMN_VM];
	diff->names[1].flags = TABLE_OPTIONAL;
	diff->name_count = 2;
	diff->column_count = DIFF_COLUMNS;
	for (size_t i = 0; i < DIFF_COLUMNS; i++)
		diff->columns[i] = report_columns[operation_columns[i]];
	diff->rows = calloc(pairs_most(a, b), sizeof(*diff->rows));
	if (!diff->rows)
		return -ENOMEM;
	for (size_t i = 0; i < a->row_count; i++)
		add_pairs(diff, &a->rows[i], b);
	for (size_t i = 0; i < b->row_count; i++)
		if (!find_row(a, &b->rows[i]))
			add_row(diff, NULL, &b->rows[i]);
	return 0;
}

const struct diff_kind diff_operations = {make, name_of, cell_of};
