/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>


const char *const diff_change_keys[DIFF_CHANGE_COUNT] = {
#define X(name, key) key,
	DIFF_CHANGES(X)
#undef X
};

static const enum column operation_columns[DIFF_COLUMNS] = {
	COLUMN_L0, COLUMN_MONITOR, COLUMN_VMM, COLUMN_PLACEMENT, COLUMN_TICKS_MEDIAN,
};

bool diff_in(const struct diff *diff, const struct diff_row *row, int side)
{
	return row->row[side] || row->group[side] ||
	       diff_cell(diff, row, side, 0).state == CELL_NOT_OBSERVED;
}

static struct cell operation_name(const struct diff_row *row, int i)
{
	const struct report_row *a = row->row[0], *b = row->row[1];
	const struct report_row *named = !a || (b && a->vm == REPORT_ALL_VMS) ? b : a;

	if (i == 0)
		return cell_of_text(named->name);
	return named->vm == REPORT_ALL_VMS ? cell_of_text(NULL)
					   : cell_of_count(true, (uint64_t)named->vm);
}

struct cell diff_name(const struct diff *diff, const struct diff_row *row, int i)
{
	return diff->by == GROUP_OPERATION ? operation_name(row, i) : diff_group_name(diff, row, i);
}

struct cell diff_cell(const struct diff *diff, const struct diff_row *row, int side, size_t column)
{
	struct cell cell = {0};

	if (diff->by != GROUP_OPERATION)
		return diff_group_cell(diff, row, side, column);
	if (row->row[side])
		report_cell(&diff->contents[side]->report, row->row[side], operation_columns[column],
			    &cell);
	return cell;
}

struct cell diff_cost(const struct diff *diff, const struct diff_row *row)
{
	const struct cell a = diff_cell(diff, row, 0, diff_cost_column(diff)),
			  b = diff_cell(diff, row, 1, diff_cost_column(diff));
	double from = cell_value(&a), to = cell_value(&b);

	if (a.state != CELL_OBSERVED || b.state != CELL_OBSERVED)
		return cell_of_text(NULL);
	return cell_of_number(CELL_CHANGE, true,
			      from == to ? 0
			      : from > 0 ? 100 * (to - from) / from
					 : INFINITY);
}

/* Fills what differs; returns whether anything was there to compare. */
static bool compare(const struct diff *diff, struct diff_row *row)
{
	const struct cell cost = diff_cost(diff, row);
	bool compared = !diff->exits_only && cost.state == CELL_OBSERVED;

	for (size_t i = 0; i < diff_cost_column(diff); i++) {
		const struct cell a = diff_cell(diff, row, 0, i), b = diff_cell(diff, row, 1, i);

		row->differs[i] = !cell_equal(&a, &b);
		compared |= a.state == CELL_OBSERVED && b.state == CELL_OBSERVED;
	}
	row->differs[diff_cost_column(diff)] =
		cost.state == CELL_OBSERVED && fabs(cost.number) > diff->threshold;
	return compared;
}

static enum diff_change change_of(const struct diff *diff, const struct diff_row *row, bool compared)
{
	if (!diff_in(diff, row, 1))
		return DIFF_ONLY_A;
	if (!diff_in(diff, row, 0))
		return DIFF_ONLY_B;
	for (size_t i = 0; i < diff_cost_column(diff); i++)
		if (row->differs[i])
			return DIFF_EXITS;
	if (row->differs[diff_cost_column(diff)] && !diff->exits_only)
		return DIFF_COST;
	return compared ? DIFF_NONE : DIFF_NOT_COMPARED;
}

void diff_judge(struct diff *diff, struct diff_row *row)
{
	bool compared = compare(diff, row);

	row->change = change_of(diff, row, compared);
	diff->changes[row->change]++;
	diff->compared += compared || row->change == DIFF_EXITS;
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

static int make_operations(struct diff *diff)
{
	const struct report *a = &diff->contents[0]->report, *b = &diff->contents[1]->report;

	diff->names[0] = column_keys[COLUMN_OPERATION];
	diff->names[1] = column_keys[COLUMN_VM];
	diff->name_count = 2;
	diff->column_count = DIFF_COLUMNS;
	for (size_t i = 0; i < DIFF_COLUMNS; i++)
		diff->columns[i] = (struct diff_column){column_headers[operation_columns[i]],
							column_keys[operation_columns[i]],
							column_types[operation_columns[i]] == CELL_TEXT};
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

/* In the words of the first reason that applies. */
static void explain_nothing(struct diff *diff)
{
	const struct report *a = &diff->contents[0]->report, *b = &diff->contents[1]->report;
	bool operations = diff->by == GROUP_OPERATION;
	const char *what = operations ? "operation" : "exit that left a record";
	const char *hint = operations ? "; --by reason, rip or symbol compares ledgers without operations"
				      : "";
	bool only_a = diff->changes[DIFF_ONLY_A], only_b = diff->changes[DIFF_ONLY_B];
	char *text = diff->nothing;
	size_t size = sizeof(diff->nothing);

	if (diff->row_count == 0)
		snprintf(text, size, "neither ledger has an %s%s", what, hint);
	else if (diff->changes[DIFF_NOT_COMPARED] || !operations)
		snprintf(text, size, "nothing that is in both was observed in both%s",
			 diff->exits_only ? "; without --exits-only ticks are compared too" : "");
	else if (only_a != only_b)
		snprintf(text, size, "ledger %s has no operation%s", only_a ? "B" : "A", hint);
	else if (a->engine != b->engine)
		snprintf(text, size, "no operation is in both: A is of engine %s, B of engine %s",
			 engine_keys[a->engine], engine_keys[b->engine]);
	else
		snprintf(text, size, "no operation is in both: A is of guest %.90s, B of guest %.90s",
			 a->guest, b->guest);
}

int diff_make(struct diff *diff)
{
	int rc = diff->by == GROUP_OPERATION ? make_operations(diff) : diff_make_groups(diff);

	if (rc == 0 && diff->compared == 0)
		explain_nothing(diff);
	return rc;
}

void diff_finish(struct diff *diff)
{
	free(diff->rows);
	exit_groups_finish(&diff->groups[0]);
	exit_groups_finish(&diff->groups[1]);
	diff->rows = NULL;
	diff->row_count = 0;
}

bool diff_changed(const struct diff *diff)
{
	return diff->changes[DIFF_NONE] + diff->changes[DIFF_NOT_COMPARED] != diff->row_count;
}
