/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/report_exits.h"

#include <inttypes.h>

#include "vmm/analysis/observed.h"
#include "vmm/base/neighbourhood.h"
#include "vmm/base/printable.h"

/* Rows of each level that a table has in text. An event that several levels see is an exit at each of them: the many
 * of one level are not to hide those of another. */
#define ROWS_SHOWN 12

bool report_exits_apply(const struct ledger_index *contents)
{
	return contents->report.row_count == 0;
}

int report_exits_make(struct ledger_index *contents, struct exit_tables *ret_tables)
{
	static const enum group_key keys[EXIT_TABLE_COUNT] = {
		[EXITS_BY_REASON] = GROUP_REASON, [EXITS_BY_SYMBOL] = GROUP_SYMBOL, [EXITS_BY_RIP] = GROUP_RIP};
	int rc = 0;

	*ret_tables = (struct exit_tables){0};
	for (int i = 0; i < EXIT_TABLE_COUNT && rc == 0; i++)
		rc = exit_groups_rank(contents, keys[i], &ret_tables->lists[i]);
	return rc;
}

void report_exits_finish(struct exit_tables *tables)
{
	for (int i = 0; i < EXIT_TABLE_COUNT; i++)
		exit_groups_finish(&tables->lists[i]);
}

static bool is_left_out(const void *data, size_t row)
{
	const struct group_list *list = data;

	return list->groups[row].before >= ROWS_SHOWN;
}

/* "and 3 more at l0, 12 more at vmm; ..." */
static void print_more(const struct group_list *list, FILE *stream)
{
	const char *before = "and";

	for (uint64_t level = 0; level <= LEVEL_COUNT; level++) {
		if (list->groups_at[level] <= ROWS_SHOWN)
			continue;
		fprintf(stream, "%s %" PRIu64 " more at %s", before, list->groups_at[level] - ROWS_SHOWN,
			exit_groups_level(level));
		before = ",";
	}
	if (before[0] == ',')
		fprintf(stream, "; report --by %s has all\n", group_key_names[list->by]);
}

static int print_table(const struct group_list *list, FILE *stream)
{
	struct table table = exit_groups_text_table(list);
	int rc;

	table.left_out = is_left_out;
	rc = table_text(&table, stream);
	print_more(list, stream);
	report_exits_unnamed(list, stream);
	fputs("\n", stream);
	return rc;
}

/* Of functions none may be known. Every other key says something. */
static bool is_told(const struct group_list *list)
{
	bool told = list->by != GROUP_SYMBOL;

	for (size_t i = 0; i < list->count && !told; i++)
		told = list->groups[i].key != 0 && !ledger_index_place_unnamed(list->groups[i].key);
	return told;
}

void report_exits_unnamed(const struct group_list *list, FILE *stream)
{
	bool any = false;

	for (size_t i = 0; i < list->count && list->by == GROUP_SYMBOL; i++)
		any |= ledger_index_place_unnamed(list->groups[i].key);
	if (any)
		fprintf(stream,
			"no name: blocks of %u bytes; in a Linux guest `cat /proc/kallsyms` as root, then --symbols FILE\n",
			NEIGHBOURHOOD_SIZE);
}

void report_exits_untimed(const struct group_list *list, FILE *stream)
{
	uint64_t exits = 0, timed = 0;

	for (size_t i = 0; i < list->count; i++) {
		exits += list->groups[i].count;
		timed += list->groups[i].timed;
	}
	if (timed != exits)
		fprintf(stream, "ticks: of %" PRIu64 " of the %" PRIu64 " exits; the others do not say how long they took\n",
			timed, exits);
	if (timed && report_attached(&list->contents->report))
		fputs("a tick is a nanosecond of CLOCK_MONOTONIC_RAW\n", stream);
}

/* Of a run nothing is at hand but what was counted. */
static void print_where(const char *ledger, FILE *stream)
{
	if (!ledger)
		fputs("--ledger FILE keeps them, and ", stream);
	fputs("sidestep report ", stream);
	printable_put(stream, ledger ? ledger : "FILE");
	fputs(" shows them by reason, function and instruction\n", stream);
}

int report_exits_text(const struct report *report, FILE *stream)
{
	const struct exit_tables *tables = report->exit_tables;
	/* Every exit has a reason: without a row there, there is none anywhere. */
	bool any = tables && tables->lists[EXITS_BY_REASON].count != 0;
	int rc = 0;

	for (int i = 0; any && i < EXIT_TABLE_COUNT && rc == 0; i++)
		if (is_told(&tables->lists[i]))
			rc = print_table(&tables->lists[i], stream);
	fputs("no operation of a catalogue was performed; exits that left a record", stream);
	fputs(any ? ", shares within a level, ticks of handling one:\n" : ":\n", stream);
	observed_print(report, observed_records_text, stream);
	if (any)
		report_exits_untimed(&tables->lists[EXITS_BY_REASON], stream);
	if (!report->of_ledger)
		print_where(report->ledger, stream);
	return rc;
}

void report_exits_json(const struct report *report, json_t *root)
{
	static const char *const members[EXIT_TABLE_COUNT] = {
		[EXITS_BY_REASON] = "exits_by_reason",
		[EXITS_BY_SYMBOL] = "exits_by_symbol",
		[EXITS_BY_RIP] = "exits_by_rip",
	};

	for (int i = 0; i < EXIT_TABLE_COUNT; i++) {
		struct table table;

		if (report->exit_tables)
			table = exit_groups_table(&report->exit_tables->lists[i]);
		json_object_set_new(root, members[i], report->exit_tables ? table_json(&table) : json_null());
	}
}
