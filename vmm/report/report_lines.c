/* SPDX-License-Identifier: GPL-2.0-only */
/* The formats that are written line by line: CSV, TAP and JUnit. */
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/report/report_writers.h"

int report_csv(const struct report *report, FILE *stream)
{
	const struct table table = report_table(report);

	return table_csv(&table, stream);
}

/* "l0 1, vmm 1, 8542 ticks": what a TAP line adds to the name. */
static void describe(const struct report *report, const struct report_row *row, FILE *stream)
{
	static const enum column columns[] = {COLUMN_OUTCOME, COLUMN_L0, COLUMN_MONITOR, COLUMN_VMM,
					      COLUMN_TICKS_MEDIAN};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		const struct cell cell = report_cell(report, row, columns[i]);
		char buffer[CELL_TEXT_SIZE];

		if (cell.state != CELL_ABSENT)
			fprintf(stream, "%s %s %s", i ? "," : "", report_columns[columns[i]].key,
				cell_plain(&cell, buffer));
	}
}

int report_tap(const struct report *report, FILE *stream)
{
	fputs("TAP version 13\n", stream);
	fprintf(stream, "1..%zu%s\n", report->row_count,
		report->row_count == 0 ? " # SKIP nothing selected" : "");
	for (size_t i = 0; i < report->row_count; i++) {
		const struct report_row *row = &report->rows[i];
		char name[ROW_NAME_SIZE];

		fprintf(stream, "%sok %zu - %s", row->verdict == VERDICT_FAIL ? "not " : "", i + 1,
			report_row_name(row, name));
		if (row->verdict == VERDICT_SKIP) {
			fputs(" # SKIP ", stream);
			printable_put(stream, row->note);
		}
		fputs("\n", stream);
		if (row->summary) {
			fputs("# ", stream);
			describe(report, row, stream);
			fputs("\n", stream);
		}
		if (row->verdict == VERDICT_FAIL) {
			fputs("# ", stream);
			printable_put(stream, row->note);
			fputs("\n", stream);
		}
	}
	if (report->end[0]) {
		fputs("Bail out! ", stream);
		printable_put(stream, report->end);
		fputs("\n", stream);
	}
	return 0;
}

static void junit_case(const struct report *report, const struct report_row *row, FILE *stream)
{
	char name[ROW_NAME_SIZE];

	fputs("    <testcase classname=\"sidestep.", stream);
	printable_xml(stream, report_engine(report));
	fputs("\" name=\"", stream);
	printable_xml(stream, report_row_name(row, name));
	fputs("\">", stream);
	if (row->verdict == VERDICT_SKIP) {
		fputs("<skipped message=\"", stream);
		printable_xml(stream, row->note);
		fputs("\"/>", stream);
	} else if (row->verdict == VERDICT_FAIL) {
		fputs("<failure message=\"", stream);
		printable_xml(stream, row->note);
		fputs("\"/>", stream);
	}
	fputs("</testcase>\n", stream);
}

int report_junit(const struct report *report, FILE *stream)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"sidestep.", stream);
	printable_xml(stream, report_engine(report));
	fprintf(stream, "\" tests=\"%zu\" failures=\"%u\" skipped=\"%u\" errors=\"%d\">\n", report->row_count,
		report->failed, report->skipped, report->end[0] != '\0');
	for (size_t i = 0; i < report->row_count; i++)
		junit_case(report, &report->rows[i], stream);
	if (report->end[0]) {
		fputs("    <system-err>", stream);
		printable_xml(stream, report->end);
		fputs("</system-err>\n", stream);
	}
	fputs("  </testsuite>\n</testsuites>\n", stream);
	return 0;
}
