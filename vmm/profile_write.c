/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile_write.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <string.h>

#include "hw_reason.h"
#include "report_l0.h"
#include "table.h"

const char *const profile_column_headers[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) header,
#include "profile_column.def"
#undef PROFILE_COLUMN
};

const char *const profile_column_keys[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) #key,
#include "profile_column.def"
#undef PROFILE_COLUMN
};

const char *const profile_column_meanings[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) meaning,
#include "profile_column.def"
#undef PROFILE_COLUMN
};

static const int column_flags[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) flags,
#include "profile_column.def"
#undef PROFILE_COLUMN
};

static const char *reason_name(const struct profile_view *view, const struct profile_key *key)
{
	if (key->isa == PROFILE_ISA_UNKNOWN)
		return "not observed";
	if (key->reason == PROFILE_REASON_OTHER && key->isa == 0)
		return "others";
	if (key->level == LEVEL_L0)
		return hw_reason_name(key->isa, key->reason);
	if (key->level == LEVEL_MONITOR)
		return view->engine->reason_name ? view->engine->reason_name(key->reason) : "?";
	return exit_reason_key(key->reason);
}

const char *profile_name(const struct profile_view *view, const struct profile_line *line,
			 enum profile_column column)
{
	const char *operation;

	if (column == PROFILE_COLUMN_LEVEL)
		return level_keys[line->key.level];
	if (column == PROFILE_COLUMN_REASON)
		return reason_name(view, &line->key);
	operation = image_operation_name(view->image, line->key.operation);
	return operation ? operation : "?";
}

static bool quantile_ns(const struct profile_view *view, const struct profile_line *line, double part,
			double *ret_number)
{
	if (!line->row || line->row->timed == 0 || view->tsc_khz == 0)
		return false;
	*ret_number = (double)profile_row_quantile(line->row, part) * 1e6 / (double)view->tsc_khz;
	return true;
}

/* Since the start: what the interval could not tell apart is all of the operation at that level. */
static double total_of(const struct profile_view *view, const struct profile_line *line)
{
	const struct profile_line *total = profile_lines_find(view->total, &line->key);
	double sum = 0;

	if (total)
		return total->exits;
	for (size_t i = 0; i < view->total->count; i++) {
		const struct profile_key *key = &view->total->lines[i].key;

		if (key->operation == line->key.operation && key->level == line->key.level)
			sum += view->total->lines[i].exits;
	}
	return sum;
}

bool profile_number(const struct profile_view *view, const struct profile_line *line,
		    enum profile_column column, double *ret_number)
{
	switch (column) {
	case PROFILE_COLUMN_RATE:
		*ret_number = line->exits / view->seconds;
		return true;
	case PROFILE_COLUMN_SHARE:
		*ret_number = 100 * line->exits / view->lines->total[line->key.level];
		return true;
	case PROFILE_COLUMN_MEDIAN:
		return quantile_ns(view, line, 0.5, ret_number);
	case PROFILE_COLUMN_P99:
		return quantile_ns(view, line, 0.99, ret_number);
	default:
		*ret_number = total_of(view, line);
		return true;
	}
}

static int add_text_row(const struct profile_view *view, const struct profile_line *line,
			struct libscols_table *table)
{
	struct libscols_line *row = scols_table_new_line(table, NULL);
	int rc = row ? 0 : -ENOMEM;

	for (int i = 0; rc == 0 && i < PROFILE_COLUMN_COUNT; i++) {
		bool counted = i == PROFILE_COLUMN_RATE || i == PROFILE_COLUMN_TOTAL;
		bool decimal = i == PROFILE_COLUMN_RATE || i == PROFILE_COLUMN_SHARE;
		char text[48] = "-";
		double number;

		if (i > PROFILE_COLUMN_REASON &&
		    profile_number(view, line, (enum profile_column)i, &number))
			snprintf(text, sizeof(text), "%s%.*f", counted && line->estimated ? "~" : "",
				 decimal, number);
		rc = scols_line_set_data(row, (size_t)i,
					 i <= PROFILE_COLUMN_REASON
						 ? profile_name(view, line, (enum profile_column)i)
						 : text) == 0
			     ? 0
			     : -ENOMEM;
	}
	return rc;
}

static int print_table(const struct profile_view *view, size_t rows, FILE *stream)
{
	struct libscols_table *table = table_start(stream, true);
	int rc = table ? 0 : -ENOMEM;

	for (int i = 0; rc == 0 && i < PROFILE_COLUMN_COUNT; i++)
		if (!scols_table_new_column(table, profile_column_headers[i], 0, column_flags[i]))
			rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < view->lines->count && (rows == 0 || i < rows); i++)
		rc = add_text_row(view, &view->lines->lines[i], table);
	return table_finish(table, rc);
}

static void print_sources(const struct profile_view *view, FILE *stream)
{
	fprintf(stream, "\nexits a second; share of a level in percent; handling time in ns\n");
	fprintf(stream, "l0: %s\n", view->l0_source);
	if (view->missing[0])
		fprintf(stream, "tracepoints: not observed: %s\n", view->missing);
	report_l0_text(view->report, stream);
}

int profile_text(const struct profile_view *view, size_t rows, FILE *stream)
{
	int rc;

	if (view->summary)
		fprintf(stream, "summary of %.1f s\n", view->seconds);
	else
		fprintf(stream, "%.1f s: the last %.1f s\n", view->time, view->seconds);
	if (view->lines->count == 0)
		fputs("no exit\n", stream);
	rc = view->lines->count ? print_table(view, rows, stream) : 0;
	if (rows && view->lines->count > rows)
		fprintf(stream, "and %zu more\n", view->lines->count - rows);
	if (view->summary)
		print_sources(view, stream);
	else
		fputc('\n', stream);
	return rc;
}

void profile_csv_header(FILE *stream)
{
	fputs("time,seconds,type", stream);
	for (int i = 0; i < PROFILE_COLUMN_COUNT; i++)
		fprintf(stream, ",%s", profile_column_keys[i]);
	fputs(",estimated\n", stream);
}

int profile_csv(const struct profile_view *view, FILE *stream)
{
	for (size_t i = 0; i < view->lines->count; i++) {
		const struct profile_line *line = &view->lines->lines[i];

		fprintf(stream, "%.3f,%.3f,%s", view->time, view->seconds,
			view->summary ? "summary" : "interval");
		/* Names of reasons may have commas in them, but no quotes. */
		for (int j = 0; j <= PROFILE_COLUMN_REASON; j++)
			fprintf(stream, ",\"%s\"", profile_name(view, line, (enum profile_column)j));
		for (int j = PROFILE_COLUMN_REASON + 1; j < PROFILE_COLUMN_COUNT; j++) {
			double number;

			fputc(',', stream);
			if (profile_number(view, line, (enum profile_column)j, &number))
				fprintf(stream, "%.10g", number);
		}
		fprintf(stream, ",%d\n", line->estimated);
	}
	return 0;
}
