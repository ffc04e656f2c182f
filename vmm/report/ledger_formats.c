/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/ledger_formats.h"

#include <string.h>

#include "vmm/analysis/observed.h"
#include "vmm/report/report_exits.h"
#include "vmm/report/report_violations.h"
#include "vmm/table/json.h"

#define GROUPS_VERSION 4

static int groups_text(const struct group_list *list, FILE *stream)
{
	const struct table table = exit_groups_text_table(list);
	int rc = table_text(&table, stream);

	if (list->count == 0)
		fprintf(stream, "nothing to count by %s\n", group_key_names[list->by]);
	fputs("\nexits that left a record, shares within a level, ticks of handling one\n", stream);
	report_exits_unnamed(list, stream);
	observed_print(&list->contents->report, observed_records_text, stream);
	report_exits_untimed(list, stream);
	return rc;
}

static int groups_csv(const struct group_list *list, FILE *stream)
{
	const struct table table = exit_groups_table(list);

	return table_csv(&table, stream);
}

static int groups_json(const struct group_list *list, FILE *stream)
{
	const struct table table = exit_groups_table(list);
	json_t *root = json_begin("sidestep.ledger.groups", GROUPS_VERSION);

	json_object_set_new(root, "by", json_string(group_key_names[list->by]));
	json_run(root, &list->contents->report);
	json_object_set_new(root, "exits", table_json(&table));
	return json_finish(root, stream);
}

/* The names are those of FORMATS_REPORT. */
const struct ledger_format ledger_formats[] = {
	{"text", report_text, violations_table, groups_text, NULL, diff_text},
	{"json", report_json, violations_document, groups_json, NULL, diff_json},
	{"csv", report_csv, violations_csv, groups_csv, NULL, diff_csv},
	{"tap", report_tap, NULL, NULL, NULL, diff_tap},
	{"junit", report_junit, NULL, NULL, NULL, diff_junit},
	{"html", NULL, NULL, NULL, report_html, NULL},
	{"trace", NULL, NULL, NULL, report_trace, NULL},
	{"folded", NULL, NULL, NULL, report_folded, NULL},
};
const size_t ledger_format_count = sizeof(ledger_formats) / sizeof(ledger_formats[0]);

const struct ledger_format *ledger_format_by_name(const char *name)
{
	for (size_t i = 0; i < ledger_format_count; i++)
		if (strcmp(ledger_formats[i].name, name) == 0)
			return &ledger_formats[i];
	return NULL;
}

/* CSV is one table: that of the operations, even if it has no row. */
static bool has_exit_tables(const struct ledger_format *format)
{
	return format->operations == report_text || format->operations == report_json;
}

static int write_operations(const struct ledger_format *format, struct ledger_index *contents, FILE *stream)
{
	struct report *report = &contents->report;
	struct exit_tables tables = {0};
	int rc = 0;

	if (report_exits_apply(contents) && has_exit_tables(format)) {
		rc = report_exits_make(contents, &tables);
		report->exit_tables = &tables;
	}
	if (rc == 0)
		rc = format->operations(report, stream);
	report->exit_tables = NULL;
	report_exits_finish(&tables);
	return rc;
}

int ledger_format_write(const struct ledger_format *format, struct ledger_index *contents,
			enum group_key by, enum report_weight weight, FILE *stream)
{
	struct group_list list;
	int rc;

	if (format->whole)
		return format->whole(contents, weight, stream);
	if (by == GROUP_OPERATION)
		return write_operations(format, contents, stream);
	if (by == GROUP_VIOLATION)
		return format->violations(&contents->report, stream);
	rc = exit_groups_rank(contents, by, &list);
	if (rc == 0)
		rc = format->groups(&list, stream);
	exit_groups_finish(&list);
	return rc;
}
