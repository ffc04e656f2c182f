/* SPDX-License-Identifier: GPL-2.0-only */
#include "diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const diff_change_keys[DIFF_CHANGE_COUNT] = {
#define X(name, key) key,
	DIFF_CHANGES(X)
#undef X
};

const enum column diff_columns[DIFF_COLUMNS] = {
	COLUMN_L0, COLUMN_MONITOR, COLUMN_VMM, COLUMN_PLACEMENT,
	[DIFF_COLUMN_COST] = COLUMN_TICKS_MEDIAN,
};

static const struct report_row *find_row(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (strcmp(report->rows[i].name, name) == 0)
			return &report->rows[i];
	return NULL;
}

static bool equal_cells(const struct cell *a, const struct cell *b, enum cell_type type)
{
	if (a->absent || b->absent)
		return a->absent && b->absent;
	if (!a->known || !b->known)
		return !a->known && !b->known;
	return type == CELL_TEXT ? strcmp(a->text, b->text) == 0 : a->number == b->number;
}

static void compare_cost(const struct diff *diff, struct diff_row *row, const struct cell cells[2])
{
	double a = cells[0].number, b = cells[1].number;

	row->cost_known = !cells[0].absent && !cells[1].absent && cells[0].known && cells[1].known;
	if (!row->cost_known)
		return;
	row->cost = a == b ? 0 : a > 0 ? 100 * (b - a) / a : INFINITY;
	row->differs[DIFF_COLUMN_COST] = fabs(row->cost) > diff->threshold;
}

static void compare_rows(const struct diff *diff, struct diff_row *row)
{
	for (int i = 0; i < DIFF_COLUMNS; i++) {
		enum column column = diff_columns[i];
		struct cell cells[2];

		for (int side = 0; side < 2; side++)
			report_cell(diff->report[side], row->row[side], column, &cells[side]);
		row->differs[i] = !equal_cells(&cells[0], &cells[1], column_types[column]);
		if (i == DIFF_COLUMN_COST)
			compare_cost(diff, row, cells);
		if (i != DIFF_COLUMN_COST && row->differs[i])
			row->change = DIFF_EXITS;
	}
	if (row->change == DIFF_NONE && row->differs[DIFF_COLUMN_COST] && !diff->exits_only)
		row->change = DIFF_COST;
}

static void add_row(struct diff *diff, const struct report_row *a, const struct report_row *b)
{
	struct diff_row *row = &diff->rows[diff->row_count++];

	row->name = a ? a->name : b->name;
	row->row[0] = a;
	row->row[1] = b;
	row->change = !b ? DIFF_ONLY_A : !a ? DIFF_ONLY_B : DIFF_NONE;
	if (a && b)
		compare_rows(diff, row);
	diff->changes[row->change]++;
}

int diff_make(struct diff *diff)
{
	const struct report *a = diff->report[0], *b = diff->report[1];

	diff->rows = calloc(a->row_count + b->row_count + 1, sizeof(*diff->rows));
	if (!diff->rows)
		return -ENOMEM;
	for (size_t i = 0; i < a->row_count; i++)
		add_row(diff, &a->rows[i], find_row(b, a->rows[i].name));
	for (size_t i = 0; i < b->row_count; i++)
		if (!find_row(a, b->rows[i].name))
			add_row(diff, NULL, &b->rows[i]);
	return 0;
}

void diff_finish(struct diff *diff)
{
	free(diff->rows);
	diff->rows = NULL;
	diff->row_count = 0;
}

bool diff_changed(const struct diff *diff)
{
	return diff->changes[DIFF_NONE] != diff->row_count;
}
