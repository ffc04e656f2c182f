/* SPDX-License-Identifier: GPL-2.0-only */
/* What two ledgers differ in, as a test for each row. */
#include <stdarg.h>
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/report/report_writers.h"

#define NOT_COMPARED "nothing was observed on both sides"
#define WHY_SIZE 1024

static bool is_failure(const struct diff_row *row)
{
	return row->change != DIFF_NONE && row->change != DIFF_NOT_COMPARED;
}

__attribute__((format(printf, 2, 3))) static void add(char text[WHY_SIZE], const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, WHY_SIZE - length, format, args);
	va_end(args);
}

/* "exits: A 12, B 15, +25.0%, allowed 10 %" */
static void add_column(const struct diff *diff, const struct diff_row *row, size_t column, char text[WHY_SIZE])
{
	const struct cell a = diff->kind->cell(diff, row, 0, column), b = diff->kind->cell(diff, row, 1, column);
	const struct cell more = diff_more(diff, row, column);
	char buffers[3][CELL_TEXT_SIZE];

	add(text, "%s%s: A %s, B %s", text[0] ? "; " : "", diff->columns[column].key, cell_plain(&a, buffers[0]),
	    cell_plain(&b, buffers[1]));
	if (more.state == CELL_OBSERVED)
		add(text, ", %s, allowed %g %%", cell_plain(&more, buffers[2]),
		    column == diff_cost_column(diff) ? row->ticks_limit : row->exits_limit);
}

/* What a row that is in one ledger only has there: "only in A: exits 12, ticks_each 100". */
static void add_side(const struct diff *diff, const struct diff_row *row, int side, char text[WHY_SIZE])
{
	add(text, "only in %c", 'A' + side);
	for (size_t i = 0; i < diff->column_count; i++) {
		const struct cell cell = diff->kind->cell(diff, row, side, i);
		char buffer[CELL_TEXT_SIZE];

		add(text, "%s %s %s", i ? "," : ":", diff->columns[i].key, cell_plain(&cell, buffer));
	}
}

/* Why a row fails: what both ledgers say, and how much that may differ. */
static const char *why(const struct diff *diff, const struct diff_row *row, char text[WHY_SIZE])
{
	text[0] = '\0';
	if (row->change == DIFF_ONLY_A || row->change == DIFF_ONLY_B) {
		add_side(diff, row, row->change == DIFF_ONLY_B, text);
		return text;
	}
	for (size_t i = 0; i < diff->column_count; i++)
		if (row->differs[i] && !(diff->exits_only && i == diff_cost_column(diff)))
			add_column(diff, row, i, text);
	return text;
}

/* A "#" would begin a directive, which a guest that names its functions is not to give. */
static const char *tap_name(const struct diff *diff, const struct diff_row *row, char text[DIFF_ROW_NAME_SIZE])
{
	diff_row_name(diff, row, text);
	for (char *c = text; *c; c++)
		if (*c == '#')
			*c = '?';
	return text;
}

int diff_tap(const struct diff *diff, FILE *stream)
{
	fprintf(stream, "TAP version 13\n1..%zu%s\n", diff->row_count, diff->row_count ? "" : " # SKIP nothing to compare");
	for (size_t i = 0; i < diff->row_count; i++) {
		const struct diff_row *row = &diff->rows[i];
		char name[DIFF_ROW_NAME_SIZE], text[WHY_SIZE];

		fprintf(stream, "%sok %zu - %s%s\n", is_failure(row) ? "not " : "", i + 1, tap_name(diff, row, name),
			row->change == DIFF_NOT_COMPARED ? " # SKIP " NOT_COMPARED : "");
		if (is_failure(row))
			fprintf(stream, "# %s\n", why(diff, row, text));
	}
	return 0;
}

/* Seconds that B has spent on what the row is of; nothing if it does not say, or has no clock. */
static void put_time(const struct diff *diff, const struct diff_row *row, FILE *stream)
{
	uint64_t khz = diff->contents[1]->reader.header.tsc_khz;
	double ticks = row->row[1]     ? row->row[1]->ticks.total
		       : row->group[1] ? (double)row->group[1]->ticks
				       : 0;
	bool known = row->row[1] ? row->row[1]->ticks.samples != 0 : row->group[1] && row->group[1]->timed;

	if (khz && known)
		fprintf(stream, " time=\"%.9f\"", ticks / ((double)khz * 1000));
}

static void put_case(const struct diff *diff, const struct diff_row *row, FILE *stream)
{
	char name[DIFF_ROW_NAME_SIZE], text[WHY_SIZE];

	fprintf(stream, "    <testcase classname=\"sidestep.diff.%s\" name=\"", group_key_names[diff->by]);
	printable_xml(stream, diff_row_name(diff, row, name));
	fputs("\"", stream);
	put_time(diff, row, stream);
	fputs(">", stream);
	if (is_failure(row)) {
		fprintf(stream, "<failure type=\"%s\" message=\"", diff_change_keys[row->change]);
		printable_xml(stream, why(diff, row, text));
		fputs("\"/>", stream);
	} else if (row->change == DIFF_NOT_COMPARED) {
		fputs("<skipped message=\"" NOT_COMPARED "\"/>", stream);
	}
	fputs("</testcase>\n", stream);
}

static void put_property(FILE *stream, const char *side, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(stream, "      <property name=\"%s%s\" value=\"", side, name);
	printable_xml(stream, value);
	fputs("\"/>\n", stream);
}

static void put_percent(FILE *stream, const char *name, const struct diff_limits *limits)
{
	char text[64];

	snprintf(text, sizeof(text), "%g", limits ? limits->percent : 0);
	put_property(stream, "", name, text);
	for (unsigned i = 0; limits && i < limits->count; i++) {
		fprintf(stream, "      <property name=\"%s.", name);
		for (int c = 0; c < limits->rows[i].length; c++)
			printable_xml(stream, (char[]){limits->rows[i].pattern[c], '\0'});
		fprintf(stream, "\" value=\"%g\"/>\n", limits->rows[i].percent);
	}
}

static void put_properties(const struct diff *diff, FILE *stream)
{
	static const char *const sides[] = {"a.", "b."};

	fputs("    <properties>\n", stream);
	put_property(stream, "", "by", group_key_names[diff->by]);
	put_percent(stream, "threshold", diff->ticks_limits);
	put_percent(stream, "threshold_exits", diff->exits_limits);
	put_property(stream, "", "exits_only", diff->exits_only ? "true" : "false");
	for (int side = 0; side < 2; side++) {
		const struct report *report = &diff->contents[side]->report;

		put_property(stream, sides[side], "ledger", diff->ledgers[side]);
		put_property(stream, sides[side], "guest", report->guest);
		put_property(stream, sides[side], "engine", report_engine(report));
		put_property(stream, sides[side], "kernel", report->kernel);
		put_property(stream, sides[side], "sidestep", report->sidestep);
		put_property(stream, sides[side], "command", report->command);
		put_property(stream, sides[side], "date", report->date);
	}
	fputs("    </properties>\n", stream);
}

int diff_junit(const struct diff *diff, FILE *stream)
{
	size_t skipped = diff->changes[DIFF_NOT_COMPARED], failed = diff->row_count - skipped - diff->changes[DIFF_NONE];

	fprintf(stream,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		"  <testsuite name=\"sidestep.diff.%s\" tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\" errors=\"0\">\n",
		group_key_names[diff->by], diff->row_count, failed, skipped);
	put_properties(diff, stream);
	for (size_t i = 0; i < diff->row_count; i++)
		put_case(diff, &diff->rows[i], stream);
	fputs("  </testsuite>\n</testsuites>\n", stream);
	return 0;
}
