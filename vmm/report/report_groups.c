/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <libsmartcols.h>

#include "vmm/analysis/observed.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/json.h"
#include "vmm/table/table.h"

#define GROUPS_VERSION 3

/* The key's column has the key's name. */
static const struct {
	const char *name;
	bool number;
} columns[GROUP_COLUMN_COUNT] = {
	[GROUP_COLUMN_AT] = {"at", false},
	[GROUP_COLUMN_INSTRUCTION] = {"instruction", false},
	[GROUP_COLUMN_LEVEL] = {"level", false},
	[GROUP_COLUMN_EXITS] = {"exits", true},
	[GROUP_COLUMN_SHARE] = {"share", true},
	[GROUP_COLUMN_TIMED] = {"timed", true},
	[GROUP_COLUMN_TICKS] = {"handling_ticks", true},
};

static const char *column_name(enum group_key by, int column)
{
	return column == GROUP_COLUMN_KEY ? group_key_names[by] : columns[column].name;
}

/* Grouped by level, its column would stand there twice, and every share would be all. */
static bool shown(enum group_key by, int column)
{
	if (column == GROUP_COLUMN_AT || column == GROUP_COLUMN_INSTRUCTION)
		return by == GROUP_RIP;
	return (column != GROUP_COLUMN_LEVEL && column != GROUP_COLUMN_SHARE) || by != GROUP_LEVEL;
}

/* Cells of the columns that are shown; returns how many. */
static size_t fill_cells(const struct ledger_index *contents, enum group_key by,
			 const struct group_list *list, const struct group *group,
			 struct cell cells[GROUP_COLUMN_COUNT])
{
	size_t count = 0;

	for (int column = 0; column < GROUP_COLUMN_COUNT; column++)
		if (shown(by, column))
			cells[count++] = group_cell(contents, by, list, group,
						    (enum group_column)column);
	return count;
}

int exit_groups_csv(const struct ledger_index *contents, enum group_key by, const struct group_list *list,
	       FILE *stream)
{
	for (int i = 0; i < GROUP_COLUMN_COUNT; i++)
		if (shown(by, i))
			fprintf(stream, "%s%s", i ? "," : "", column_name(by, i));
	fputs("\n", stream);
	for (size_t i = 0; i < list->count; i++) {
		struct cell cells[GROUP_COLUMN_COUNT];
		size_t count = fill_cells(contents, by, list, &list->groups[i], cells);

		csv_row(stream, cells, count);
	}
	return 0;
}

static json_t *group_json(const struct ledger_index *contents, enum group_key by,
			  const struct group_list *list, const struct group *group)
{
	json_t *row = json_object();

	for (int i = 0; i < GROUP_COLUMN_COUNT; i++) {
		struct cell cell;

		if (!shown(by, i))
			continue;
		cell = group_cell(contents, by, list, group, (enum group_column)i);
		json_object_set_new(row, column_name(by, i), json_cell(&cell));
	}
	return row;
}

json_t *json_groups(const struct ledger_index *contents, enum group_key by,
		    const struct group_list *list, size_t most)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < list->count && i < most; i++)
		json_array_append_new(rows, group_json(contents, by, list, &list->groups[i]));
	return rows;
}

int exit_groups_json(const struct ledger_index *contents, enum group_key by, const struct group_list *list,
		FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.groups", GROUPS_VERSION);

	json_object_set_new(root, "by", json_string(group_key_names[by]));
	json_object_set_new(root, "recorded", observed_records_json(&contents->report));
	json_object_set_new(root, "exits", json_groups(contents, by, list, list->count));
	return json_finish(root, stream);
}

static int fill_line(struct libscols_line *line, const struct cell *cells, size_t count)
{
	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		char buffer[CELL_TEXT_SIZE];

		if (scols_line_set_data(line, i, cell_plain(&cells[i], buffer)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int fill_table(struct libscols_table *table, const struct ledger_index *contents,
		      enum group_key by, const struct group_list *list)
{
	int rc = 0;

	for (int i = 0; i < GROUP_COLUMN_COUNT; i++)
		if (shown(by, i) && !scols_table_new_column(table, column_name(by, i), 0,
							    columns[i].number ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	for (size_t i = 0; i < list->count && rc == 0; i++) {
		struct cell cells[GROUP_COLUMN_COUNT];
		size_t count = fill_cells(contents, by, list, &list->groups[i], cells);

		rc = fill_line(scols_table_new_line(table, NULL), cells, count);
	}
	return rc;
}

int exit_groups_text(const struct ledger_index *contents, enum group_key by, const struct group_list *list,
		FILE *stream)
{
	struct libscols_table *table = table_start(stream, false);
	int rc;

	if (!table)
		return -ENOMEM;
	rc = table_finish(table, fill_table(table, contents, by, list));
	fputs("\nexits that left a record; shares are within a level; `timed` of them say how long they took\n",
	      stream);
	observed_print_records(&contents->report, stream);
	return rc;
}
