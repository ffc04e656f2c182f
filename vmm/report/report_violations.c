/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/report_violations.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>

#include "vmm/table/json.h"
#include "vmm/table/table.h"

/* A terminal has room for this many; the other formats have them all. */
#define SHOWN 16
#define VIOLATIONS_VERSION 1
#define NOT_KNOWN "not known"

const char *const violation_answer_keys[] = {
#define X(name, key, text) key,
	VIOLATION_ANSWERS(X)
#undef X
};

struct row {
	const struct report *report;
	const struct record_violation *record;
	uint64_t count;
};

static struct cell count_cell(const struct row *row)
{
	return cell_of_count(true, row->count);
}

static struct cell view_cell(const struct row *row)
{
	return cell_of_plain(report_view_name(row->report, row->record->view));
}

static struct cell region_cell(const struct row *row)
{
	return cell_of_plain(row->record->region);
}

static struct cell access_cell(const struct row *row)
{
	return cell_of_format("%s%s", access_name(row->record->access),
			      row->record->flags & VIOLATION_WALK ? " (page walk)" : "");
}

static struct cell gpa_cell(const struct row *row)
{
	return cell_of_format("0x%" PRIx64, row->record->gpa);
}

static struct cell gva_cell(const struct row *row)
{
	return row->record->flags & VIOLATION_GVA_KNOWN
		       ? cell_of_format("0x%" PRIx64, row->record->gva)
		       : cell_of_text(NOT_KNOWN);
}

static struct cell rip_cell(const struct row *row)
{
	return cell_of_format("%s0x%" PRIx64,
			      row->record->flags & VIOLATION_RIP_BEHIND ? "before " : "",
			      row->record->rip);
}

static struct cell symbol_cell(const struct row *row)
{
	return cell_of_plain(row->record->symbol);
}

static struct cell operation_cell(const struct row *row)
{
	return cell_of_plain(report_operation_name(row->report, row->record->operation));
}

static const char *answer_of(const struct record_violation *record)
{
	return record->answer < VIOLATION_ANSWER_COUNT ? violation_answer_keys[record->answer] : "?";
}

static struct cell answer_cell(const struct row *row)
{
	return cell_of_text(answer_of(row->record));
}

static const struct {
	const char *header, *key;
	struct cell (*fill)(const struct row *row);
	int flags;
} columns[] = {
	{"COUNT", "count", count_cell, SCOLS_FL_RIGHT},
	{"VIEW", "view", view_cell, 0},
	{"REGION", "region", region_cell, 0},
	{"ACCESS", "access", access_cell, 0},
	{"GPA", "gpa", gpa_cell, 0},
	{"GVA", "gva", gva_cell, 0},
	{"RIP", "rip", rip_cell, 0},
	{"SYMBOL", "symbol", symbol_cell, 0},
	{"ANSWER", "answer", answer_cell, 0},
	{"IN OPERATION", "operation", operation_cell, 0},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

uint64_t violations_total(const struct report *report)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= SS_MAX_OPERATIONS; i++)
		total += report->summary->operations[i].violations;
	return total;
}

static int add_line(struct libscols_table *table, const struct row *row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct cell cell = columns[i].fill(row);
		char buffer[CELL_TEXT_SIZE];

		if (scols_line_set_data(line, i, cell_plain(&cell, buffer)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static struct row row_of(const struct report *report, size_t index)
{
	const struct violation_summary *violation = &report->summary->violations[index];

	return (struct row){report, &violation->record, violation->count};
}

/* The first `most` kinds; how many accesses they are goes to *ret_told. */
static int fill_table(const struct report *report, struct libscols_table *table, size_t most,
		      uint64_t *ret_told)
{
	const struct summary *summary = report->summary;

	*ret_told = 0;
	for (size_t i = 0; i < COLUMNS; i++)
		if (!scols_table_new_column(table, columns[i].header, 0, columns[i].flags))
			return -ENOMEM;
	for (size_t i = 0; i < summary->violation_count && i < most; i++) {
		const struct row row = row_of(report, i);
		int rc = add_line(table, &row);

		if (rc != 0)
			return rc;
		*ret_told += row.count;
	}
	return 0;
}

static int write_table(const struct report *report, FILE *stream, size_t most, uint64_t *ret_told)
{
	struct libscols_table *table = table_start(stream, true);

	if (!table)
		return -ENOMEM;
	return table_finish(table, fill_table(report, table, most, ret_told));
}

int violations_text(const struct report *report, FILE *stream)
{
	uint64_t total = violations_total(report), told;
	int rc;

	if (total == 0)
		return 0;
	fprintf(stream, "\n%" PRIu64 " accesses that a view forbids:\n", total);
	rc = write_table(report, stream, SHOWN, &told);
	if (rc == 0 && told < total)
		fprintf(stream, "and %" PRIu64 " more; report --by violation names up to %d kinds of them\n",
			total - told, SUMMARY_VIOLATIONS_MAX);
	return rc;
}

int violations_table(const struct report *report, FILE *stream)
{
	uint64_t told = 0, total = violations_total(report);
	int rc = write_table(report, stream, SUMMARY_VIOLATIONS_MAX, &told);

	if (rc == 0 && told < total)
		fprintf(stream, "and %" PRIu64 " more\n", total - told);
	return rc;
}

int violations_csv(const struct report *report, FILE *stream)
{
	for (size_t i = 0; i < COLUMNS; i++)
		fprintf(stream, "%s%s", i ? "," : "", columns[i].key);
	fputs("\n", stream);
	for (size_t i = 0; i < report->summary->violation_count; i++) {
		const struct row row = row_of(report, i);
		struct cell cells[COLUMNS];

		for (size_t j = 0; j < COLUMNS; j++)
			cells[j] = columns[j].fill(&row);
		csv_row(stream, cells, COLUMNS);
	}
	return 0;
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_text(text) : json_null();
}

static json_t *violation_json(const struct report *report,
			      const struct violation_summary *violation)
{
	const struct record_violation *record = &violation->record;
	json_t *object = json_object();

	json_object_set_new(object, "view", json_integer(record->view));
	json_object_set_new(object, "view_name", json_text(report_view_name(report, record->view)));
	json_object_set_new(object, "region", text_or_null(record->region));
	json_object_set_new(object, "access", json_string(access_name(record->access)));
	json_object_set_new(object, "page_walk", json_boolean(record->flags & VIOLATION_WALK));
	json_object_set_new(object, "gpa", json_hex(record->gpa));
	json_object_set_new(object, "gva",
			    record->flags & VIOLATION_GVA_KNOWN ? json_hex(record->gva)
								: json_string(NOT_KNOWN));
	json_object_set_new(object, "rip", json_hex(record->rip));
	json_object_set_new(object, "rip_behind", json_boolean(record->flags & VIOLATION_RIP_BEHIND));
	json_object_set_new(object, "symbol", text_or_null(record->symbol));
	json_object_set_new(object, "answer", json_string(answer_of(record)));
	json_object_set_new(object, "operation",
			    json_text(report_operation_name(report, record->operation)));
	json_object_set_new(object, "count", json_count(violation->count));
	return object;
}

json_t *violations_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->summary->violation_count; i++)
		json_array_append_new(array, violation_json(report, &report->summary->violations[i]));
	return array;
}

int violations_document(const struct report *report, FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.violations", VIOLATIONS_VERSION);

	json_object_set_new(root, "total", json_count(violations_total(report)));
	json_object_set_new(root, "violations", violations_json(report));
	return json_finish(root, stream);
}
