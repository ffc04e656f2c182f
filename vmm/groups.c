/* SPDX-License-Identifier: GPL-2.0-only */
#include "groups.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "hw_reason.h"
#include "json.h"

static const char *const key_names[] = {"operation", "reason", "rip", "level"};

/* The columns of every format: KEY's own name comes first. */
static const char *const columns[] = {"level", "exits", "share", "handling_ticks"};
#define COLUMNS (1 + sizeof(columns) / sizeof(columns[0]))
#define CELL_SIZE 64
#define GROUPS_VERSION 1

enum group_key group_key_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(key_names) / sizeof(key_names[0]); i++)
		if (strcmp(key_names[i], name) == 0)
			return (enum group_key)i;
	return GROUP_OPERATION;
}

/* Reasons at L0 are those of either vendor. */
#define GROUP_ISA_SHIFT 32

static uint64_t key_of(enum group_key by, unsigned level, uint64_t reason, uint64_t rip)
{
	return by == GROUP_REASON ? reason : by == GROUP_RIP ? rip : level;
}

static int count(struct group_list *list, uint64_t key, uint16_t level, uint32_t cost)
{
	struct group *group;

	/* The newest first: an exit mostly repeats the one before it. */
	for (size_t i = list->count; i-- > 0;) {
		group = &list->groups[i];
		if (group->key == key && group->level == level) {
			group->count++;
			group->ticks += cost;
			return 0;
		}
	}
	if (list->count == list->capacity) {
		size_t wanted = list->capacity ? list->capacity * 2 : 64;

		group = realloc(list->groups, wanted * sizeof(*group));
		if (!group)
			return -ENOMEM;
		list->groups = group;
		list->capacity = wanted;
	}
	list->groups[list->count++] = (struct group){key, level, 1, cost};
	return 0;
}

int groups_add(struct group_list *list, enum group_key by, const struct record *record)
{
	const struct record_exit *exit = (const void *)record;
	const struct record_l0_exit *l0 = (const void *)record;

	if (by == GROUP_OPERATION)
		return 0; /* the summary has these */
	if (record->type == RECORD_EXIT)
		return count(list, key_of(by, record->level, exit->reason, exit->rip), record->level,
			     exit->cost);
	if (record->type == RECORD_L0_EXIT)
		return count(list,
			     key_of(by, LEVEL_L0,
				    (uint64_t)l0->isa << GROUP_ISA_SHIFT | l0->reason, l0->rip),
			     LEVEL_L0, l0->cost);
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->key > y->key) - (x->key < y->key);
}

static uint64_t total(const struct group_list *list)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < list->count; i++)
		sum += list->groups[i].count;
	return sum;
}

/* Exits at the VMM have KVM's reasons, those at the relay and at L0 the processor's. */
static const char *reason_name(const struct group *group, enum engine_id id)
{
	const struct engine *engine = engine_by_key(engine_keys[id]);

	if (group->level == LEVEL_L0)
		return hw_reason_name((unsigned)(group->key >> GROUP_ISA_SHIFT), (uint32_t)group->key);
	if (group->level == LEVEL_MONITOR)
		return engine && engine->reason_name ? engine->reason_name(group->key) : "?";
	return exit_reason_key((uint32_t)group->key);
}

static void fill_cells(const struct group *group, enum group_key by, enum engine_id engine,
		       uint64_t sum, char cells[COLUMNS][CELL_SIZE])
{
	const char *level = group->level < LEVEL_COUNT ? level_keys[group->level] : "?";

	if (by == GROUP_REASON)
		snprintf(cells[0], CELL_SIZE, "%s", reason_name(group, engine));
	else if (by == GROUP_RIP)
		snprintf(cells[0], CELL_SIZE, "0x%" PRIx64, group->key);
	else
		snprintf(cells[0], CELL_SIZE, "%s", level);
	snprintf(cells[1], CELL_SIZE, "%s", level);
	snprintf(cells[2], CELL_SIZE, "%" PRIu64, group->count);
	snprintf(cells[3], CELL_SIZE, "%.1f", sum ? 100.0 * (double)group->count / (double)sum : 0);
	snprintf(cells[4], CELL_SIZE, "%" PRIu64, group->ticks);
}

/* Grouped by level, its column would stand there twice. */
static bool shown(enum group_key by, size_t column)
{
	return by != GROUP_LEVEL || column != 1;
}

static int write_csv(const struct group_list *list, enum group_key by, enum engine_id engine,
		     FILE *stream)
{
	fprintf(stream, "%s", key_names[by]);
	for (size_t i = 1; i < COLUMNS; i++)
		if (shown(by, i))
			fprintf(stream, ",%s", columns[i - 1]);
	fputs("\n", stream);
	for (size_t i = 0; i < list->count; i++) {
		char cells[COLUMNS][CELL_SIZE];

		fill_cells(&list->groups[i], by, engine, total(list), cells);
		for (size_t j = 0; j < COLUMNS; j++)
			if (shown(by, j))
				fprintf(stream, "%s%s", j ? "," : "", cells[j]);
		fputs("\n", stream);
	}
	return 0;
}

static int write_json(const struct group_list *list, enum group_key by, enum engine_id engine,
		     FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.groups", GROUPS_VERSION), *rows = json_array();

	json_object_set_new(root, "by", json_string(key_names[by]));
	for (size_t i = 0; i < list->count; i++) {
		const struct group *group = &list->groups[i];
		char cells[COLUMNS][CELL_SIZE];
		json_t *row = json_object();

		fill_cells(group, by, engine, total(list), cells);
		json_object_set_new(row, key_names[by], json_text(cells[0]));
		json_object_set_new(row, "level", json_string(cells[1]));
		json_object_set_new(row, "exits", json_integer((json_int_t)group->count));
		json_object_set_new(row, "share", json_real(strtod(cells[3], NULL)));
		json_object_set_new(row, "handling_ticks", json_integer((json_int_t)group->ticks));
		json_array_append_new(rows, row);
	}
	json_object_set_new(root, "exits", rows);
	return json_finish(root, stream);
}

static int fill_line(struct libscols_line *line, enum group_key by,
		     char cells[COLUMNS][CELL_SIZE])
{
	size_t at = 0;

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < COLUMNS; i++)
		if (shown(by, i) && scols_line_set_data(line, at++, cells[i]) != 0)
			return -ENOMEM;
	return 0;
}

static int fill_table(struct libscols_table *table, const struct group_list *list,
		      enum group_key by, enum engine_id engine)
{
	int rc = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		if (shown(by, i) &&
		    !scols_table_new_column(table, i ? columns[i - 1] : key_names[by], 0,
					    i >= 2 ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	for (size_t i = 0; i < list->count && rc == 0; i++) {
		char cells[COLUMNS][CELL_SIZE];

		fill_cells(&list->groups[i], by, engine, total(list), cells);
		rc = fill_line(scols_table_new_line(table, NULL), by, cells);
	}
	return rc;
}

static int write_text(const struct group_list *list, enum group_key by, enum engine_id engine,
		     FILE *stream)
{
	struct libscols_table *table = scols_new_table();
	int rc;

	if (!table)
		return -ENOMEM;
	scols_table_set_stream(table, stream);
	scols_table_set_termwidth(table, 400);
	rc = fill_table(table, list, by, engine);
	if (rc == 0)
		rc = scols_print_table(table);
	scols_unref_table(table);
	return rc;
}

int groups_emit(struct group_list *list, enum group_key by, const struct report *report,
		const struct settings *settings, struct error *error)
{
	struct output output;
	int rc = output_open(&output, settings->output, error);

	if (rc != 0)
		return rc;
	qsort(list->groups, list->count, sizeof(*list->groups), by_count);
	if (strcmp(settings->format, "csv") == 0)
		rc = write_csv(list, by, report->engine, output.stream);
	else if (strcmp(settings->format, "json") == 0)
		rc = write_json(list, by, report->engine, output.stream);
	else
		rc = write_text(list, by, report->engine, output.stream);
	if (rc == 0 && strcmp(settings->format, "text") == 0)
		fprintf(output.stream, "\nrecorded exits only; %s: %s\n", level_keys[LEVEL_L0],
			report_evidence(report, LEVEL_L0));
	if (rc != 0) {
		output_discard(&output);
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	}
	return output_commit(&output, error);
}

void groups_finish(struct group_list *list)
{
	free(list->groups);
	*list = (struct group_list){0};
}
