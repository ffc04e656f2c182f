/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/report_violations.h"

#include <inttypes.h>

#include "views/list.h"
#include "vmm/analysis/disassembly.h"
#include "vmm/table/json.h"

/* A terminal has room for this many; the other formats have them all. */
#define SHOWN 16
#define NOT_KNOWN "not known"

static const char *const violation_answer_keys[] = {VIOLATION_ANSWERS(LIST_KEY)};

/* X(ID, "HEADER", "key", flags). JSON has apart what people and spreadsheets read as one. */
#define VIOLATION_COLUMNS(X)                                                                       \
	X(TIMES, "COUNT", "count", TABLE_RIGHT | TABLE_NO_JSON)                                    \
	X(VIEW, "", "view", TABLE_ONLY_JSON)                                                       \
	X(VIEW_NAME, "VIEW", "view_name", TABLE_NO_CSV)                                            \
	X(VIEW_IN_CSV, "", "view", TABLE_ONLY_CSV)                                                 \
	X(REGION, "REGION", "region", TABLE_LEFT)                                                  \
	X(ACCESS_IN_WORDS, "ACCESS", "access", TABLE_NO_JSON)                                      \
	X(ACCESS, "", "access", TABLE_ONLY_JSON)                                                   \
	X(PAGE_WALK, "", "page_walk", TABLE_ONLY_JSON)                                             \
	X(GPA, "GPA", "gpa", TABLE_LEFT)                                                           \
	X(GVA, "GVA", "gva", TABLE_LEFT)                                                           \
	X(RIP_IN_WORDS, "RIP", "rip", TABLE_NO_JSON)                                               \
	X(RIP, "", "rip", TABLE_ONLY_JSON)                                                         \
	X(RIP_BEHIND, "", "rip_behind", TABLE_ONLY_JSON)                                           \
	X(SYMBOL, "SYMBOL", "symbol", TABLE_LEFT)                                                  \
	X(ANSWER, "ANSWER", "answer", TABLE_LEFT)                                                  \
	X(OPERATION, "IN OPERATION", "operation", TABLE_LEFT)                                      \
	X(INSTRUCTION, "INSTRUCTION", "instruction", TABLE_OPTIONAL)                               \
	X(VALUE, "VALUE", "value", TABLE_OPTIONAL)                                                 \
	X(SOURCE, "SOURCE", "source", TABLE_OPTIONAL)                                              \
	X(TIMES_IN_JSON, "", "count", TABLE_ONLY_JSON)

enum violation_column {
#define X(id, header, key, flags) VIOLATION_COLUMN_##id,
	VIOLATION_COLUMNS(X)
#undef X
	VIOLATION_COLUMN_COUNT
};

static const struct table_column columns[VIOLATION_COLUMN_COUNT] = {
#define X(id, header, key, flags) TABLE_PLAIN(header, key, flags),
	VIOLATION_COLUMNS(X)
#undef X
};

uint64_t violations_total(const struct report *report)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= report->summary->highest; i++)
		total += report->summary->operations[i].violations;
	return total;
}

static struct cell instruction(const struct violation_summary *violation)
{
	char text[96];

	return disassembly_of_record(&violation->instruction, text, sizeof(text)) ? cell_of_format("%s", text)
										  : cell_of_text(NULL);
}

static struct cell cell_at(const void *data, size_t row, size_t column)
{
	const struct report *report = data;
	const struct violation_summary *violation = &report->summary->violations[row];
	const struct record_violation *record = &violation->record;
	const char *access = access_name(record->access);
	bool walk = record->flags & VIOLATION_WALK, behind = record->flags & VIOLATION_RIP_BEHIND;

	switch ((enum violation_column)column) {
	case VIOLATION_COLUMN_VIEW:
		return cell_of_count(true, record->view);
	case VIOLATION_COLUMN_VIEW_NAME:
	case VIOLATION_COLUMN_VIEW_IN_CSV:
		return cell_of_foreign(report_view_name(report, record->view));
	case VIOLATION_COLUMN_REGION:
		return cell_of_foreign(record->region);
	case VIOLATION_COLUMN_ACCESS_IN_WORDS:
		return cell_of_format("%s%s", access, walk ? " (page walk)" : "");
	case VIOLATION_COLUMN_ACCESS:
		return cell_of_text(access);
	case VIOLATION_COLUMN_PAGE_WALK:
		return cell_of_value(CELL_TRUTH, walk);
	case VIOLATION_COLUMN_GPA:
		return cell_of_value(CELL_ADDRESS, record->gpa);
	case VIOLATION_COLUMN_GVA:
		return record->flags & VIOLATION_GVA_KNOWN ? cell_of_value(CELL_ADDRESS, record->gva)
							   : cell_of_text(NOT_KNOWN);
	case VIOLATION_COLUMN_RIP_IN_WORDS:
		return cell_of_format("%s0x%" PRIx64, behind ? "before " : "", record->rip);
	case VIOLATION_COLUMN_RIP:
		return cell_of_value(CELL_ADDRESS, record->rip);
	case VIOLATION_COLUMN_RIP_BEHIND:
		return cell_of_value(CELL_TRUTH, behind);
	case VIOLATION_COLUMN_SYMBOL:
		return cell_of_foreign(record->symbol);
	case VIOLATION_COLUMN_ANSWER:
		return cell_of_text(record->answer < VIOLATION_ANSWER_COUNT ? violation_answer_keys[record->answer]
									    : "?");
	case VIOLATION_COLUMN_OPERATION:
		return cell_of_foreign(report_operation_name(report, record->operation));
	case VIOLATION_COLUMN_INSTRUCTION:
		return instruction(violation);
	case VIOLATION_COLUMN_VALUE:
		return violation->instruction.value_size ? cell_of_value(CELL_ADDRESS, violation->instruction.value)
							 : cell_of_text(NULL);
	case VIOLATION_COLUMN_SOURCE:
		return cell_of_foreign(violation->source);
	default:
		return cell_of_count(true, violation->count);
	}
}

static struct table table_of(const struct report *report)
{
	return (struct table){columns, VIOLATION_COLUMN_COUNT, report->summary->violation_count, cell_at, report,
			      .fit = true};
}

/* The first `most` kinds; how many accesses are not among them goes to *ret_more. */
static int write_table(const struct report *report, FILE *stream, size_t most, uint64_t *ret_more)
{
	struct table table = table_of(report);
	uint64_t told = 0, total = violations_total(report);

	if (table.row_count > most)
		table.row_count = most;
	for (size_t i = 0; i < table.row_count; i++)
		told += report->summary->violations[i].count;
	*ret_more = told < total ? total - told : 0;
	return table_text(&table, stream);
}

int violations_text(const struct report *report, FILE *stream)
{
	uint64_t total = violations_total(report), more;
	int rc;

	if (total == 0)
		return 0;
	fprintf(stream, "\n%" PRIu64 " accesses that a view forbids:\n", total);
	rc = write_table(report, stream, SHOWN, &more);
	if (rc == 0 && more)
		fprintf(stream, "and %" PRIu64 " more; report --by violation names up to %d kinds of them\n", more,
			SUMMARY_VIOLATIONS_MAX);
	return rc;
}

int violations_table(const struct report *report, FILE *stream)
{
	uint64_t more;
	int rc = write_table(report, stream, SUMMARY_VIOLATIONS_MAX, &more);

	if (violations_total(report) == 0)
		fputs("no access that a view forbids was recorded\n", stream);
	if (rc == 0 && more)
		fprintf(stream, "and %" PRIu64 " more\n", more);
	return rc;
}

int violations_csv(const struct report *report, FILE *stream)
{
	const struct table table = table_of(report);

	return table_csv(&table, stream);
}

json_t *violations_json(const struct report *report)
{
	const struct table table = table_of(report);

	return table_json(&table);
}
