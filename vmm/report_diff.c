/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <libsmartcols.h>
#include <math.h>
#include <stdlib.h>

#include "diff.h"
#include "json.h"
#include "table.h"

#define DIFF_VERSION 1
#define CELL_SIZE 96
#define SIDE_SIZE 40

static const char side_names[2] = {'a', 'b'};

/* What one side has in a column; `none` where the operation is not in it or has no such value. */
static void side_text(const struct diff *diff, const struct diff_row *row, int side,
		      enum column column, const char *none, char text[SIDE_SIZE])
{
	struct cell cell = {.absent = true};
	char number[SIDE_SIZE];

	if (row->row[side])
		report_cell(diff->report[side], row->row[side], column, &cell);
	snprintf(text, SIDE_SIZE, "%s",
		 cell.absent ? none
			     : cell_text(&cell, column_types[column], number, sizeof(number)));
}

/* "1", or "1 -> 2" where they differ. */
static void both_sides(const struct diff *diff, const struct diff_row *row, int i, char *text)
{
	char sides[2][SIDE_SIZE];

	for (int side = 0; side < 2; side++)
		side_text(diff, row, side, diff_columns[i], "-", sides[side]);
	if (!row->row[0] || !row->row[1])
		snprintf(text, CELL_SIZE, "%s", sides[row->row[0] ? 0 : 1]);
	else if (row->differs[i])
		snprintf(text, CELL_SIZE, "%s -> %s", sides[0], sides[1]);
	else
		snprintf(text, CELL_SIZE, "%s", sides[0]);
}

static void cost_text(const struct diff_row *row, char *text)
{
	if (!row->cost_known)
		snprintf(text, CELL_SIZE, "-");
	else if (isinf(row->cost))
		snprintf(text, CELL_SIZE, "from 0");
	else
		snprintf(text, CELL_SIZE, "%+.1f%%", row->cost);
}

/* The operation, the columns of exits, the median of either side, its change. */
#define TEXT_COLUMNS (1 + DIFF_COLUMN_COST + 3)

static int add_columns(struct libscols_table *table)
{
	static const char *const last[] = {"MEDIAN A", "MEDIAN B", "CHANGE"};

	if (!scols_table_new_column(table, column_headers[COLUMN_OPERATION], 0, 0))
		return -ENOMEM;
	for (int i = 0; i < DIFF_COLUMN_COST; i++)
		if (!scols_table_new_column(
			    table, column_headers[diff_columns[i]], 0,
			    column_types[diff_columns[i]] == CELL_TEXT ? 0 : SCOLS_FL_RIGHT))
			return -ENOMEM;
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		if (!scols_table_new_column(table, last[i], 0, SCOLS_FL_RIGHT))
			return -ENOMEM;
	return 0;
}

static int add_row(const struct diff *diff, const struct diff_row *row, struct libscols_table *table)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char cells[TEXT_COLUMNS][CELL_SIZE];
	int at = 0;

	if (!line)
		return -ENOMEM;
	snprintf(cells[at++], CELL_SIZE, "%s%s", row->name,
		 row->change == DIFF_ONLY_A   ? " (only in A)"
		 : row->change == DIFF_ONLY_B ? " (only in B)"
					      : "");
	for (int i = 0; i < DIFF_COLUMN_COST; i++)
		both_sides(diff, row, i, cells[at++]);
	for (int side = 0; side < 2; side++)
		side_text(diff, row, side, COLUMN_TICKS_MEDIAN, "-", cells[at++]);
	cost_text(row, cells[at]);
	for (int i = 0; i < TEXT_COLUMNS; i++)
		if (scols_line_set_data(line, (size_t)i, cells[i]) != 0)
			return -ENOMEM;
	return 0;
}

static int print_table(const struct diff *diff, FILE *stream)
{
	struct libscols_table *table = table_start(stream, false);
	int rc;

	if (!table)
		return -ENOMEM;
	rc = add_columns(table);
	for (size_t i = 0; i < diff->row_count && rc == 0; i++)
		if (diff->rows[i].change != DIFF_NONE)
			rc = add_row(diff, &diff->rows[i], table);
	return table_finish(table, rc);
}

static void print_totals(const struct diff *diff, FILE *stream)
{
	const size_t *changes = diff->changes;

	fprintf(stream, "%zu operations in both: %zu with other exits, ",
		changes[DIFF_NONE] + changes[DIFF_EXITS] + changes[DIFF_COST], changes[DIFF_EXITS]);
	if (diff->exits_only)
		fputs("ticks not compared", stream);
	else
		fprintf(stream, "%zu with the same exits and a median more than %g %% off",
			changes[DIFF_COST], diff->threshold);
	if (changes[DIFF_ONLY_A])
		fprintf(stream, "; %zu only in A", changes[DIFF_ONLY_A]);
	if (changes[DIFF_ONLY_B])
		fprintf(stream, "; %zu only in B", changes[DIFF_ONLY_B]);
	fputs("\n", stream);
}

int diff_text(const struct diff *diff, FILE *stream)
{
	int rc = 0;

	for (int side = 0; side < 2; side++) {
		fprintf(stream, "%c: ", side_names[side] - 'a' + 'A');
		report_run(diff->report[side], stream);
		fprintf(stream, "   l0: %s\n", report_evidence(diff->report[side], LEVEL_L0));
	}
	fputs("\n", stream);
	if (diff_changed(diff)) {
		rc = print_table(diff, stream);
		fputs("\n", stream);
	}
	print_totals(diff, stream);
	return rc;
}

int diff_csv(const struct diff *diff, FILE *stream)
{
	fputs("operation,change", stream);
	for (int i = 0; i < DIFF_COLUMNS; i++)
		for (int side = 0; side < 2; side++)
			fprintf(stream, ",%s_%c", column_keys[diff_columns[i]], side_names[side]);
	fputs(",ticks_change\n", stream);
	for (size_t i = 0; i < diff->row_count; i++) {
		const struct diff_row *row = &diff->rows[i];

		fprintf(stream, "%s,%s", row->name, diff_change_keys[row->change]);
		for (int j = 0; j < 2 * DIFF_COLUMNS; j++) {
			char text[SIDE_SIZE];

			side_text(diff, row, j % 2, diff_columns[j / 2], "", text);
			fprintf(stream, ",%s", text);
		}
		if (row->cost_known && !isinf(row->cost))
			fprintf(stream, ",%.2f\n", row->cost);
		else
			fputs(",\n", stream);
	}
	return 0;
}

static json_t *side_json(const struct diff *diff, const struct diff_row *row, int side)
{
	json_t *object = json_object();

	if (!row->row[side]) {
		json_decref(object);
		return json_null();
	}
	for (int i = 0; i < DIFF_COLUMNS; i++) {
		struct cell cell;

		report_cell(diff->report[side], row->row[side], diff_columns[i], &cell);
		json_object_set_new(object, column_keys[diff_columns[i]],
				    json_cell(&cell, column_types[diff_columns[i]]));
	}
	return object;
}

static json_t *row_json(const struct diff *diff, const struct diff_row *row)
{
	json_t *object = json_pack("{s:s,s:s}", "operation", row->name, "change",
				   diff_change_keys[row->change]);

	json_object_set_new(object, "a", side_json(diff, row, 0));
	json_object_set_new(object, "b", side_json(diff, row, 1));
	json_object_set_new(object, "ticks_change",
			    row->cost_known && !isinf(row->cost) ? json_real(row->cost) : json_null());
	return object;
}

static json_t *run_json(const struct report *report)
{
	json_t *object = json_object();

	json_run(object, report);
	return object;
}

int diff_json(const struct diff *diff, FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.diff", DIFF_VERSION), *rows = json_array();
	json_t *totals = json_object();

	json_object_set_new(root, "a", run_json(diff->report[0]));
	json_object_set_new(root, "b", run_json(diff->report[1]));
	json_object_set_new(root, "threshold", json_real(diff->threshold));
	json_object_set_new(root, "exits_only", json_boolean(diff->exits_only));
	json_object_set_new(root, "changed", json_boolean(diff_changed(diff)));
	for (int i = 0; i < DIFF_CHANGE_COUNT; i++)
		json_object_set_new(totals, diff_change_keys[i],
				    json_count(diff->changes[i]));
	json_object_set_new(root, "totals", totals);
	for (size_t i = 0; i < diff->row_count; i++)
		json_array_append_new(rows, row_json(diff, &diff->rows[i]));
	json_object_set_new(root, "operations", rows);
	return json_finish(root, stream);
}
