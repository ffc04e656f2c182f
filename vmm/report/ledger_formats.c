/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/ledger_formats.h"

#include <string.h>

#include "vmm/report/report_violations.h"

/* The names are those of FORMATS_REPORT. */
const struct ledger_format ledger_formats[] = {
	{"text", report_text, violations_table, exit_groups_text, NULL, diff_text},
	{"json", report_json, violations_document, exit_groups_json, NULL, diff_json},
	{"csv", report_csv, violations_csv, exit_groups_csv, NULL, diff_csv},
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

int ledger_format_write(const struct ledger_format *format, struct ledger_index *contents,
			enum group_key by, enum report_weight weight, FILE *stream)
{
	struct group_list list;
	int rc;

	if (format->whole)
		return format->whole(contents, weight, stream);
	if (by == GROUP_OPERATION)
		return format->operations(&contents->report, stream);
	if (by == GROUP_VIOLATION)
		return format->violations(&contents->report, stream);
	rc = exit_groups_count(contents, by, &list);
	if (rc == 0)
		rc = format->groups(&list, stream);
	exit_groups_finish(&list);
	return rc;
}
