/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>

#include "vmm/analysis/observed.h"
#include "vmm/base/printable.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/json.h"
#include "vmm/table/table.h"

#define DIFF_VERSION 2
#define DIFF_CELL_SIZE (2 * CELL_TEXT_SIZE + 8)

static const char side_names[2] = {'a', 'b'};

/* "1", or "1 -> 2" where they differ. */
static void both_sides(const struct diff *diff, const struct diff_row *row, size_t column, char *text)
{
	const struct cell a = diff->kind->cell(diff, row, 0, column), b = diff->kind->cell(diff, row, 1, column);
	char buffers[2][CELL_TEXT_SIZE];
	const char *sides[2] = {cell_plain(&a, buffers[0]), cell_plain(&b, buffers[1])};

	if (row->differs[column] && diff_in(diff, row, 0) && diff_in(diff, row, 1))
		snprintf(text, DIFF_CELL_SIZE, "%s -> %s", sides[0], sides[1]);
	else
		snprintf(text, DIFF_CELL_SIZE, "%s", sides[diff_in(diff, row, 0) ? 0 : 1]);
}

static const char *only_in(const struct diff_row *row)
{
	return row->change == DIFF_ONLY_A   ? " (only in A)"
	       : row->change == DIFF_ONLY_B ? " (only in B)"
					    : "";
}

/* What a row is of, the columns of exits, the last one of either side, its change. */
#define TEXT_COLUMNS (DIFF_NAMES + DIFF_COLUMNS + 2)

/* Whether any row has a second name: operations have one only where rows are of single VMs. */
static int names_shown(const struct diff *diff)
{
	for (size_t i = 0; i < diff->row_count && diff->name_count > 1; i++) {
		const struct cell name = diff->kind->name(diff, &diff->rows[i], 1);

		if (name.state != CELL_ABSENT)
			return diff->name_count;
	}
	return 1;
}

static int add_column(struct libscols_table *table, const char *header, bool text)
{
	return scols_table_new_column(table, header, 0, text ? 0 : SCOLS_FL_RIGHT) ? 0 : -ENOMEM;
}

static int add_columns(const struct diff *diff, struct libscols_table *table, int names)
{
	static const char *const headers[DIFF_NAMES] = {"OPERATION", "VM"};
	char text[DIFF_CELL_SIZE];
	int rc = 0;

	for (int i = 0; i < names && rc == 0; i++)
		rc = add_column(table, diff->by == GROUP_OPERATION ? headers[i] : diff->names[i], true);
	for (size_t i = 0; i < diff_cost_column(diff) && rc == 0; i++)
		rc = add_column(table, diff->columns[i].header, diff->columns[i].text);
	for (int side = 0; side < 2 && rc == 0; side++) {
		snprintf(text, sizeof(text), "%s %c", diff->columns[diff_cost_column(diff)].header,
			 side_names[side] - 'a' + 'A');
		rc = add_column(table, text, false);
	}
	return rc == 0 ? add_column(table, "CHANGE", false) : rc;
}

static int add_row(const struct diff *diff, const struct diff_row *row, struct libscols_table *table,
		   int names)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char cells[TEXT_COLUMNS][DIFF_CELL_SIZE], buffer[CELL_TEXT_SIZE];
	size_t at = 0;
	struct cell cell;

	if (!line)
		return -ENOMEM;
	for (int i = 0; i < names; i++) {
		cell = diff->kind->name(diff, row, i);
		snprintf(cells[at++], DIFF_CELL_SIZE, "%s%s", cell_plain(&cell, buffer),
			 i == 0 ? only_in(row) : "");
	}
	for (size_t i = 0; i < diff_cost_column(diff); i++)
		both_sides(diff, row, i, cells[at++]);
	for (int side = 0; side < 2; side++) {
		cell = diff->kind->cell(diff, row, side, diff_cost_column(diff));
		snprintf(cells[at++], DIFF_CELL_SIZE, "%s", cell_plain(&cell, buffer));
	}
	cell = diff_cost(diff, row);
	snprintf(cells[at++], DIFF_CELL_SIZE, "%s", cell_plain(&cell, buffer));
	for (size_t i = 0; i < at; i++)
		if (scols_line_set_data(line, i, cells[i]) != 0)
			return -ENOMEM;
	return 0;
}

static int print_table(const struct diff *diff, FILE *stream)
{
	struct libscols_table *table = table_start(stream, false);
	int names = names_shown(diff), rc;

	if (!table)
		return -ENOMEM;
	rc = add_columns(diff, table, names);
	for (size_t i = 0; i < diff->row_count && rc == 0; i++)
		if (diff->rows[i].change != DIFF_NONE)
			rc = add_row(diff, &diff->rows[i], table, names);
	return table_finish(table, rc);
}

static void print_totals(const struct diff *diff, FILE *stream)
{
	const size_t *changes = diff->changes;
	const char *kind = diff->by == GROUP_OPERATION ? "a median" : "ticks";

	fprintf(stream, "%zu %ss in both: %zu with other exits, ",
		changes[DIFF_NONE] + changes[DIFF_EXITS] + changes[DIFF_COST] +
			changes[DIFF_NOT_COMPARED],
		group_key_names[diff->by], changes[DIFF_EXITS]);
	if (diff->exits_only)
		fputs("ticks not compared", stream);
	else
		fprintf(stream, "%zu with the same exits and %s more than %g %% off",
			changes[DIFF_COST], kind, diff->threshold);
	if (changes[DIFF_NOT_COMPARED])
		fprintf(stream, ", %zu not observed in both", changes[DIFF_NOT_COMPARED]);
	if (changes[DIFF_ONLY_A])
		fprintf(stream, "; %zu only in A", changes[DIFF_ONLY_A]);
	if (changes[DIFF_ONLY_B])
		fprintf(stream, "; %zu only in B", changes[DIFF_ONLY_B]);
	fputs("\n", stream);
}

/* How either side knows of the exits that are compared. */
static void print_sources(const struct diff *diff, int side, FILE *stream)
{
	const struct report *report = &diff->contents[side]->report;
	char text[OBSERVED_SIZE];

	fprintf(stream, "   l0: ");
	printable_put(stream, diff->by == GROUP_OPERATION
				     ? observed_counts_text(report, LEVEL_L0)
				     : observed_records_text(report, LEVEL_L0, text));
	fputs("\n", stream);
}

int diff_text(const struct diff *diff, FILE *stream)
{
	int rc = 0;

	for (int side = 0; side < 2; side++) {
		fprintf(stream, "%c: ", side_names[side] - 'a' + 'A');
		report_run(&diff->contents[side]->report, stream);
		print_sources(diff, side, stream);
	}
	fputs("\n", stream);
	if (diff_changed(diff) || diff->changes[DIFF_NOT_COMPARED]) {
		rc = print_table(diff, stream);
		fputs("\n", stream);
	}
	print_totals(diff, stream);
	return rc;
}

int diff_csv(const struct diff *diff, FILE *stream)
{
	for (int i = 0; i < diff->name_count; i++)
		fprintf(stream, "%s,", diff->names[i]);
	fputs("change", stream);
	for (size_t i = 0; i < diff->column_count; i++)
		for (int side = 0; side < 2; side++)
			fprintf(stream, ",%s_%c", diff->columns[i].key, side_names[side]);
	fputs(",ticks_change\n", stream);
	for (size_t i = 0; i < diff->row_count; i++) {
		const struct diff_row *row = &diff->rows[i];
		struct cell cells[DIFF_NAMES + 1 + 2 * DIFF_COLUMNS + 1];
		size_t at = 0;

		for (int j = 0; j < diff->name_count; j++)
			cells[at++] = diff->kind->name(diff, row, j);
		cells[at++] = cell_of_text(diff_change_keys[row->change]);
		for (size_t j = 0; j < 2 * diff->column_count; j++)
			cells[at++] = diff->kind->cell(diff, row, j % 2, j / 2);
		cells[at++] = diff_cost(diff, row);
		csv_row(stream, cells, at);
	}
	return 0;
}

static json_t *side_json(const struct diff *diff, const struct diff_row *row, int side)
{
	json_t *object;

	if (!diff_in(diff, row, side))
		return json_null();
	object = json_object();
	for (size_t i = 0; i < diff->column_count; i++) {
		const struct cell cell = diff->kind->cell(diff, row, side, i);

		json_object_set_new(object, diff->columns[i].key, json_cell(&cell));
	}
	return object;
}

static json_t *row_json(const struct diff *diff, const struct diff_row *row)
{
	const struct cell cost = diff_cost(diff, row);
	json_t *object = json_object();

	for (int i = 0; i < diff->name_count; i++) {
		const struct cell name = diff->kind->name(diff, row, i);

		json_object_set_new(object, diff->names[i], json_cell(&name));
	}
	json_object_set_new(object, "change", json_string(diff_change_keys[row->change]));
	json_object_set_new(object, "a", side_json(diff, row, 0));
	json_object_set_new(object, "b", side_json(diff, row, 1));
	json_object_set_new(object, "ticks_change", json_cell(&cost));
	return object;
}

static json_t *run_json(const struct report *report)
{
	json_t *object = json_object();

	json_run(object, report);
	json_object_set_new(object, "recorded", observed_records_json(report));
	return object;
}

int diff_json(const struct diff *diff, FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.diff", DIFF_VERSION), *rows = json_array();
	json_t *totals = json_object();

	json_object_set_new(root, "by", json_string(group_key_names[diff->by]));
	json_object_set_new(root, "a", run_json(&diff->contents[0]->report));
	json_object_set_new(root, "b", run_json(&diff->contents[1]->report));
	json_object_set_new(root, "threshold", json_real(diff->threshold));
	json_object_set_new(root, "exits_only", json_boolean(diff->exits_only));
	json_object_set_new(root, "compared", json_count(diff->compared));
	json_object_set_new(root, "changed", json_boolean(diff_changed(diff)));
	for (int i = 0; i < DIFF_CHANGE_COUNT; i++)
		json_object_set_new(totals, diff_change_keys[i],
				    json_count(diff->changes[i]));
	json_object_set_new(root, "totals", totals);
	for (size_t i = 0; i < diff->row_count; i++)
		json_array_append_new(rows, row_json(diff, &diff->rows[i]));
	json_object_set_new(root, diff->by == GROUP_OPERATION ? "operations" : "exits", rows);
	return json_finish(root, stream);
}
