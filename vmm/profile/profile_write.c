/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/profile/profile_write.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <string.h>

#include "vmm/analysis/observed.h"
#include "vmm/ledger/hw_reason.h"
#include "vmm/report/report_l0.h"
#include "vmm/table/table.h"

const char *const profile_column_headers[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) header,
#include "vmm/profile/profile_column.def"
#undef PROFILE_COLUMN
};

const char *const profile_column_keys[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) #key,
#include "vmm/profile/profile_column.def"
#undef PROFILE_COLUMN
};

const char *const profile_column_meanings[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) meaning,
#include "vmm/profile/profile_column.def"
#undef PROFILE_COLUMN
};

static const int column_flags[PROFILE_COLUMN_COUNT] = {
#define PROFILE_COLUMN(id, header, key, flags, meaning) flags,
#include "vmm/profile/profile_column.def"
#undef PROFILE_COLUMN
};

static const char *reason_name(const struct profile_view *view, const struct profile_key *key)
{
	if (key->reason == PROFILE_REASON_OTHER && key->isa == 0)
		return "others";
	if (key->level == LEVEL_L0)
		return hw_reason_name(key->isa, key->reason);
	if (key->level == LEVEL_MONITOR)
		return view->engine->reason_name ? view->engine->reason_name(key->reason) : "?";
	return exit_reason_key(key->reason);
}

static const char *operation_name(const struct profile_view *view, const struct profile_key *key)
{
	const char *operation = image_operation_name(view->image, key->operation);

	return operation ? operation : "?";
}

static struct cell quantile_ns(const struct profile_view *view, const struct profile_line *line,
			       double part)
{
	if (!line->row || line->row->timed == 0 || view->tsc_khz == 0)
		return cell_not_observed(CELL_NUMBER);
	return cell_of_number(CELL_NUMBER, true,
			      (double)profile_row_quantile(line->row, part) * 1e6 /
				      (double)view->tsc_khz);
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

/* How many there were, as opposed to how those that were recorded divide. */
static bool number_known(const struct profile_lines *lines, unsigned level)
{
	return level != LEVEL_L0 || lines->l0_known;
}

static struct cell exits_cell(enum cell_type type, bool observed, const struct profile_line *line,
			      double number)
{
	struct cell cell = cell_of_number(type, observed, number);

	cell.estimated = line->estimated;
	return cell;
}

struct cell profile_cell(const struct profile_view *view, const struct profile_line *line,
			 enum profile_column column)
{
	const struct profile_key *key = &line->key;

	switch (column) {
	case PROFILE_COLUMN_OPERATION:
		return cell_of_text(operation_name(view, key));
	case PROFILE_COLUMN_LEVEL:
		return cell_of_text(level_keys[key->level]);
	case PROFILE_COLUMN_REASON:
		return key->isa == PROFILE_ISA_UNKNOWN ? cell_not_observed(CELL_TEXT)
						       : cell_of_text(reason_name(view, key));
	case PROFILE_COLUMN_RATE:
		return exits_cell(CELL_RATE, number_known(view->lines, key->level) && view->seconds > 0,
				  line, line->exits / view->seconds);
	case PROFILE_COLUMN_SHARE:
		return cell_of_number(CELL_SHARE, true, 100 * line->exits / view->lines->total[key->level]);
	case PROFILE_COLUMN_MEDIAN:
		return quantile_ns(view, line, 0.5);
	case PROFILE_COLUMN_P99:
		return quantile_ns(view, line, 0.99);
	default:
		return exits_cell(CELL_NUMBER, number_known(view->total, key->level), line,
				  total_of(view, line));
	}
}

struct cell profile_level(const struct profile_view *view, enum level level)
{
	if (level == LEVEL_MONITOR && view->engine->id == ENGINE_FLAT)
		return cell_of_text(NULL);
	return cell_of_number(CELL_NUMBER, number_known(view->lines, level), view->lines->total[level]);
}

static int add_text_row(const struct profile_view *view, const struct profile_line *line,
			struct libscols_table *table)
{
	struct libscols_line *row = scols_table_new_line(table, NULL);
	int rc = row ? 0 : -ENOMEM;

	for (int i = 0; rc == 0 && i < PROFILE_COLUMN_COUNT; i++) {
		const struct cell cell = profile_cell(view, line, (enum profile_column)i);
		char text[CELL_TEXT_SIZE];

		rc = scols_line_set_data(row, (size_t)i, cell_plain(&cell, text)) == 0 ? 0 : -ENOMEM;
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
	observed_print_missing(view->missing, stream);
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
		fprintf(stream, "no exit%s\n",
			view->lines->l0_known ? "" : " at monitor or vmm; l0: " NOT_OBSERVED);
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
		struct cell cells[PROFILE_COLUMN_COUNT + 1];

		fprintf(stream, "%.3f,%.3f,%s,", view->time, view->seconds,
			view->summary ? "summary" : "interval");
		for (int j = 0; j < PROFILE_COLUMN_COUNT; j++)
			cells[j] = profile_cell(view, line, (enum profile_column)j);
		cells[PROFILE_COLUMN_COUNT] = cell_of_count(true, line->estimated);
		csv_row(stream, cells, PROFILE_COLUMN_COUNT + 1);
	}
	return 0;
}
