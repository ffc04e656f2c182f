/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <string.h>

#include "code.h"
#include "groups.h"
#include "json.h"
#include "table.h"
#include "views/service.h"

#define GROUPS_VERSION 2
#define CELL_SIZE 112

enum group_column {
	GROUP_COLUMN_KEY,
	GROUP_COLUMN_AT,
	GROUP_COLUMN_INSTRUCTION,
	GROUP_COLUMN_LEVEL,
	GROUP_COLUMN_EXITS,
	GROUP_COLUMN_SHARE,
	GROUP_COLUMN_TICKS,
	GROUP_COLUMN_COUNT
};

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
	[GROUP_COLUMN_TICKS] = {"handling_ticks", true},
};

static const char *column_name(enum group_key by, int column)
{
	return column == GROUP_COLUMN_KEY ? group_key_names[by] : columns[column].name;
}

/* Grouped by level, its column would stand there twice. */
static bool shown(enum group_key by, int column)
{
	if (column == GROUP_COLUMN_AT || column == GROUP_COLUMN_INSTRUCTION)
		return by == GROUP_RIP;
	return column != GROUP_COLUMN_LEVEL || by != GROUP_LEVEL;
}

static const char *level_name(uint16_t level)
{
	return level < LEVEL_COUNT ? level_keys[level] : "?";
}

/* By name, or by number if there is none, and what came of it if it was not carried out. */
static void name_service(uint64_t code, char *cell, size_t size)
{
	static const char *const names[SERVICE_NUMBERS + 1] = {
#define X(name, number, key, privilege, text) [number] = #key,
		SS_SERVICES(X)
#undef X
	};
	static const char *const outcomes[] = {
		[SERVICE_UNDEFINED] = " #UD",
		[SERVICE_FORBIDDEN] = " #GP",
		[SERVICE_REFUSED] = " refused",
	};
	uint64_t number = code & 0xff, verdict = code >> 8;
	bool plain = verdict >= sizeof(outcomes) / sizeof(outcomes[0]) || !outcomes[verdict];
	const char *outcome = plain ? "" : outcomes[verdict];

	if (number < SERVICE_NUMBERS && names[number])
		snprintf(cell, size, "%s%s", names[number], outcome);
	else
		snprintf(cell, size, "%" PRIu64 "%s", number, outcome);
}

static void fill_key(const struct contents *contents, enum group_key by, const struct group *group,
		     char *cell)
{
	if (by == GROUP_REASON)
		snprintf(cell, CELL_SIZE, "%s", contents_reason(contents, group->level, group->key));
	else if (by == GROUP_RIP)
		snprintf(cell, CELL_SIZE, "0x%" PRIx64, group->key);
	else if (by == GROUP_SERVICE)
		name_service(group->key, cell, CELL_SIZE);
	else
		snprintf(cell, CELL_SIZE, "%s", level_name(group->level));
}

static void fill_cells(const struct contents *contents, enum group_key by,
		       const struct group_list *list, const struct group *group,
		       char cells[GROUP_COLUMN_COUNT][CELL_SIZE])
{
	struct code_place place;

	fill_key(contents, by, group, cells[GROUP_COLUMN_KEY]);
	if (by == GROUP_RIP) {
		code_locate(contents_code(contents, group->key), &group->first,
			    contents->report.backend, &place);
		code_place_name(&place, cells[GROUP_COLUMN_AT], CELL_SIZE);
		snprintf(cells[GROUP_COLUMN_INSTRUCTION], CELL_SIZE, "%s", place.text);
	}
	snprintf(cells[GROUP_COLUMN_LEVEL], CELL_SIZE, "%s", level_name(group->level));
	snprintf(cells[GROUP_COLUMN_EXITS], CELL_SIZE, "%" PRIu64, group->count);
	snprintf(cells[GROUP_COLUMN_SHARE], CELL_SIZE, "%.1f",
		 100.0 * (double)group->count / (double)list->total);
	snprintf(cells[GROUP_COLUMN_TICKS], CELL_SIZE, "%" PRIu64, group->ticks);
}

int groups_csv(const struct contents *contents, enum group_key by, const struct group_list *list,
	       FILE *stream)
{
	const char *separator = "";

	for (int i = 0; i < GROUP_COLUMN_COUNT; i++) {
		if (!shown(by, i))
			continue;
		fprintf(stream, "%s%s", separator, column_name(by, i));
		separator = ",";
	}
	for (size_t i = 0; i < list->count; i++) {
		char cells[GROUP_COLUMN_COUNT][CELL_SIZE];

		fill_cells(contents, by, list, &list->groups[i], cells);
		separator = "\n";
		for (int j = 0; j < GROUP_COLUMN_COUNT; j++) {
			if (!shown(by, j))
				continue;
			fputs(separator, stream);
			report_csv_field(stream, cells[j]);
			separator = ",";
		}
	}
	fputs("\n", stream);
	return 0;
}

static json_t *group_json(const struct contents *contents, enum group_key by,
			  const struct group_list *list, const struct group *group)
{
	char cells[GROUP_COLUMN_COUNT][CELL_SIZE];
	json_t *row = json_object();

	fill_cells(contents, by, list, group, cells);
	for (int i = 0; i < GROUP_COLUMN_COUNT; i++)
		if (i == GROUP_COLUMN_LEVEL || (shown(by, i) && !columns[i].number))
			json_object_set_new(row, column_name(by, i), json_text(cells[i]));
	json_object_set_new(row, "exits", json_count(group->count));
	json_object_set_new(row, "share",
			    json_real(100.0 * (double)group->count / (double)list->total));
	json_object_set_new(row, "handling_ticks", json_count(group->ticks));
	return row;
}

json_t *json_groups(const struct contents *contents, enum group_key by,
		    const struct group_list *list, size_t most)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < list->count && i < most; i++)
		json_array_append_new(rows, group_json(contents, by, list, &list->groups[i]));
	return rows;
}

int groups_json(const struct contents *contents, enum group_key by, const struct group_list *list,
		FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.groups", GROUPS_VERSION);

	json_object_set_new(root, "by", json_string(group_key_names[by]));
	json_object_set_new(root, "exits", json_groups(contents, by, list, list->count));
	return json_finish(root, stream);
}

static int fill_line(struct libscols_line *line, enum group_key by,
		     char cells[GROUP_COLUMN_COUNT][CELL_SIZE])
{
	size_t at = 0;

	if (!line)
		return -ENOMEM;
	for (int i = 0; i < GROUP_COLUMN_COUNT; i++)
		if (shown(by, i) && scols_line_set_data(line, at++, cells[i]) != 0)
			return -ENOMEM;
	return 0;
}

static int fill_table(struct libscols_table *table, const struct contents *contents,
		      enum group_key by, const struct group_list *list)
{
	int rc = 0;

	for (int i = 0; i < GROUP_COLUMN_COUNT; i++)
		if (shown(by, i) && !scols_table_new_column(table, column_name(by, i), 0,
							    columns[i].number ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	for (size_t i = 0; i < list->count && rc == 0; i++) {
		char cells[GROUP_COLUMN_COUNT][CELL_SIZE];

		fill_cells(contents, by, list, &list->groups[i], cells);
		rc = fill_line(scols_table_new_line(table, NULL), by, cells);
	}
	return rc;
}

int groups_text(const struct contents *contents, enum group_key by, const struct group_list *list,
		FILE *stream)
{
	struct libscols_table *table = table_start(stream, false);
	int rc;

	if (!table)
		return -ENOMEM;
	rc = table_finish(table, fill_table(table, contents, by, list));
	fprintf(stream, "\nrecorded exits only; %s: %s\n", level_keys[LEVEL_L0],
		report_evidence(&contents->report, LEVEL_L0));
	return rc;
}
