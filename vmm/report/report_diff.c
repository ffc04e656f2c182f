/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/observed.h"
#include "vmm/base/printable.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/json.h"

#define DIFF_VERSION 3

/* As a table: what a row is of, for programs and for people; its change; of each column that is compared both sides,
 * A and B; how much the last one of B is more. */
#define COLUMNS_MAX (2 * DIFF_NAMES + 1 + 3 * DIFF_COLUMNS + 1)

struct diff_table {
	const struct diff *diff;
	struct table_column columns[COLUMNS_MAX];
	char headers[DIFF_COLUMNS][2][24], keys[DIFF_COLUMNS][2][24];
};

/* "1", or "1 -> 2" where they differ. */
static struct cell both_sides(const struct diff *diff, const struct diff_row *row, size_t column)
{
	const struct cell a = diff->kind->cell(diff, row, 0, column), b = diff->kind->cell(diff, row, 1, column);
	char buffers[2][CELL_TEXT_SIZE];

	if (!diff_in(diff, row, 0))
		return b;
	if (!diff_in(diff, row, 1) || !row->differs[column])
		return a;
	return cell_of_format("%s -> %s", cell_plain(&a, buffers[0]), cell_plain(&b, buffers[1]));
}

static struct cell name_in_text(const struct diff *diff, const struct diff_row *row, size_t i)
{
	const struct cell name = diff->kind->name(diff, row, i);
	char buffer[CELL_TEXT_SIZE];

	if (i != 0 || (row->change != DIFF_ONLY_A && row->change != DIFF_ONLY_B))
		return name;
	return cell_of_format("%s (only in %c)", cell_plain(&name, buffer), row->change == DIFF_ONLY_A ? 'A' : 'B');
}

static struct cell cell_at(const void *data, size_t row_number, size_t column)
{
	const struct diff *diff = ((const struct diff_table *)data)->diff;
	const struct diff_row *row = &diff->rows[row_number];
	size_t at = column - 2 * diff->name_count - 1, index = at / 3;

	if (column < 2 * diff->name_count)
		return column % 2 ? name_in_text(diff, row, column / 2) : diff->kind->name(diff, row, column / 2);
	if (column == 2 * diff->name_count)
		return cell_of_text(diff_change_keys[row->change]);
	if (index == diff->column_count)
		return diff_cost(diff, row);
	return at % 3 == 0 ? both_sides(diff, row, index) : diff->kind->cell(diff, row, (int)(at % 3) - 1, index);
}

static bool is_same(const void *data, size_t row)
{
	return ((const struct diff_table *)data)->diff->rows[row].change == DIFF_NONE;
}

/* Of the last column people see the sides apart, of the others as one. */
static struct table make_table(struct diff_table *own, const struct diff *diff)
{
	struct table_column *column = own->columns;

	own->diff = diff;
	for (size_t i = 0; i < diff->name_count; i++) {
		*column = *(column + 1) = diff->names[i];
		column++->flags = TABLE_NO_TEXT;
		column++->flags |= TABLE_ONLY_TEXT;
	}
	*column++ = (struct table_column)TABLE_PLAIN("", "change", TABLE_NO_TEXT);
	for (size_t i = 0; i < diff->column_count; i++) {
		bool last = i == diff_cost_column(diff);

		*column = diff->columns[i];
		column->flags = last ? TABLE_NOWHERE : (column->flags & TABLE_RIGHT) | TABLE_ONLY_TEXT;
		column++;
		for (int side = 0; side < 2; side++) {
			char *header = own->headers[i][side], *key = own->keys[i][side];

			snprintf(header, sizeof(own->headers[i][side]), "%s %c", diff->columns[i].header, 'A' + side);
			snprintf(key, sizeof(own->keys[i][side]), "%s_%c", diff->columns[i].key, 'a' + side);
			*column++ = (struct table_column)TABLE_PLAIN(
				header, key, TABLE_RIGHT | (last ? TABLE_NO_JSON : TABLE_ONLY_CSV));
		}
	}
	*column++ = (struct table_column)TABLE_PLAIN("CHANGE", "ticks_change", TABLE_RIGHT | TABLE_NO_JSON);
	return (struct table){own->columns, (size_t)(column - own->columns), diff->row_count, cell_at, own,
			      .left_out = is_same};
}

/* Where rows have limits of their own there is no one number. */
static const char *limit_text(const struct diff_limits *limits, char text[32])
{
	if (limits && limits->count)
		return "their threshold";
	snprintf(text, 32, "%g %%", limits ? limits->percent : 0);
	return text;
}

static void print_totals(const struct diff *diff, FILE *stream)
{
	const size_t *changes = diff->changes;
	const char *kind = diff->by == GROUP_OPERATION ? "a median" : "ticks";
	char limit[32];

	fprintf(stream, "%zu %ss in both: %zu with other exits, ",
		changes[DIFF_NONE] + changes[DIFF_EXITS] + changes[DIFF_COST] +
			changes[DIFF_NOT_COMPARED],
		group_key_names[diff->by], changes[DIFF_EXITS]);
	if (diff->exits_only)
		fputs("ticks not compared", stream);
	else
		fprintf(stream, "%zu with the same exits and %s more than %s off", changes[DIFF_COST], kind,
			limit_text(diff->ticks_limits, limit));
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
	printable_put(stream, (diff->by == GROUP_OPERATION ? observed_counts_text : observed_records_text)(
				      report, LEVEL_L0, text));
	fputs("\n", stream);
}

int diff_text(const struct diff *diff, FILE *stream)
{
	int rc = 0;

	for (int side = 0; side < 2; side++) {
		fprintf(stream, "%c: ", 'A' + side);
		report_run(&diff->contents[side]->report, stream);
		print_sources(diff, side, stream);
	}
	fputs("\n", stream);
	if (diff_changed(diff) || diff->changes[DIFF_NOT_COMPARED]) {
		struct diff_table own;
		const struct table table = make_table(&own, diff);

		rc = table_text(&table, stream);
		fputs("\n", stream);
	}
	print_totals(diff, stream);
	return rc;
}

int diff_csv(const struct diff *diff, FILE *stream)
{
	struct diff_table own;
	const struct table table = make_table(&own, diff);

	return table_csv(&table, stream);
}

static json_t *side_json(const struct diff *diff, const struct diff_row *row, int side)
{
	json_t *object;

	if (!diff_in(diff, row, side))
		return json_null();
	object = json_object();
	for (size_t i = 0; i < diff->column_count; i++) {
		const struct cell cell = diff->kind->cell(diff, row, side, i);

		json_object_set_new(object, diff->columns[i].key, cell_json(&cell));
	}
	return object;
}

static json_t *rows_json(const struct diff *diff)
{
	struct diff_table own;
	const struct table table = make_table(&own, diff);
	json_t *rows = table_json(&table), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const struct cell cost = diff_cost(diff, &diff->rows[i]);

		json_object_set_new(row, "a", side_json(diff, &diff->rows[i], 0));
		json_object_set_new(row, "b", side_json(diff, &diff->rows[i], 1));
		json_object_set_new(row, "ticks_change", cell_json(&cost));
		json_object_set_new(row, "ticks_limit", json_real(diff->rows[i].ticks_limit));
		json_object_set_new(row, "exits_limit", json_real(diff->rows[i].exits_limit));
	}
	return rows;
}

static json_t *run_json(const struct diff *diff, int side)
{
	json_t *object = json_object();

	json_object_set_new(object, "ledger", json_text(diff->ledgers[side]));
	json_run(object, &diff->contents[side]->report);
	return object;
}

int diff_json(const struct diff *diff, FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.diff", DIFF_VERSION), *totals = json_object();

	json_object_set_new(root, "by", json_string(group_key_names[diff->by]));
	json_object_set_new(root, "a", run_json(diff, 0));
	json_object_set_new(root, "b", run_json(diff, 1));
	json_object_set_new(root, "threshold", json_real(diff->ticks_limits ? diff->ticks_limits->percent : 0));
	json_object_set_new(root, "threshold_exits", json_real(diff->exits_limits ? diff->exits_limits->percent : 0));
	json_object_set_new(root, "exits_only", json_boolean(diff->exits_only));
	json_object_set_new(root, "compared", json_count(diff->compared));
	json_object_set_new(root, "changed", json_boolean(diff_changed(diff)));
	for (int i = 0; i < DIFF_CHANGE_COUNT; i++)
		json_object_set_new(totals, diff_change_keys[i],
				    json_count(diff->changes[i]));
	json_object_set_new(root, "totals", totals);
	json_object_set_new(root, diff->by == GROUP_OPERATION ? "operations" : "exits", rows_json(diff));
	return json_finish(root, stream);
}
