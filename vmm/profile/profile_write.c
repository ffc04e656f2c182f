/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/profile/profile_write.h"

#include <string.h>

#include "vmm/analysis/exit_groups.h"
#include "vmm/analysis/observed.h"
#include "vmm/base/neighbourhood.h"
#include "vmm/ledger/hw_reason.h"
#include "vmm/report/report_l0.h"
#include "vmm/table/json.h"

const struct table_column profile_columns[PROFILE_COLUMN_COUNT] = {
#define COLUMN TABLE_COLUMN
#include "vmm/profile/profile_column.def"
#undef COLUMN
};

static const char *type_of(const struct profile_view *view)
{
	return view->summary ? "summary" : "interval";
}

static bool is_rest(const struct profile_key *key)
{
	return key->reason == PROFILE_REASON_OTHER && key->isa == 0;
}

static const char *reason_name(const struct profile_view *view, const struct profile_key *key)
{
	if (is_rest(key))
		return "others";
	if (key->level == LEVEL_L0 || (view->attached && key->level == LEVEL_MONITOR))
		return hw_reason_name(key->isa, key->reason);
	if (key->level == LEVEL_MONITOR)
		return view->engine->reason_name ? view->engine->reason_name(key->reason) : "?";
	return exit_reason_key(key->reason);
}

/* What several rows may be counted by; the others stand for themselves. */
static const struct {
	enum profile_column column;
	enum group_key by[2];
} keys[] = {
	{PROFILE_COLUMN_OPERATION, {GROUP_OPERATION, GROUP_OPERATION}},
	{PROFILE_COLUMN_REASON, {GROUP_OPERATION, GROUP_REASON}},
	{PROFILE_COLUMN_RIP, {GROUP_RIP, GROUP_RIP}},
	{PROFILE_COLUMN_SYMBOL, {GROUP_SYMBOL, GROUP_SYMBOL}},
	{PROFILE_COLUMN_VCPU, {GROUP_VCPU, GROUP_VCPU}},
	{PROFILE_COLUMN_INSTRUCTION, {GROUP_INSTRUCTION, GROUP_INSTRUCTION}},
};

static void choose_columns(const struct profile_view *view, struct table_column own[PROFILE_COLUMN_COUNT])
{
	memcpy(own, profile_columns, PROFILE_COLUMN_COUNT * sizeof(*own));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (view->by != keys[i].by[0] && view->by != keys[i].by[1])
			own[keys[i].column].flags = TABLE_NOWHERE;
	if (!view->attached)
		own[PROFILE_COLUMN_GUEST].flags = TABLE_NOWHERE;
}

static const char *operation_name(const struct profile_view *view, const struct profile_key *key)
{
	const char *operation = image_operation_name(view->image, key->operation);

	return operation ? operation : "?";
}

static bool timed(const struct profile_view *view, const struct profile_line *line)
{
	return line->row && line->row->timed != 0 && view->tsc_khz != 0;
}

static double ns_of(const struct profile_view *view, double ticks)
{
	return ticks * 1e6 / (double)view->tsc_khz;
}

/* Whole numbers, which are quick to write too: no clock knows parts of a nanosecond. */
static struct cell whole_ns(const struct profile_view *view, const struct profile_line *line, double ticks)
{
	const bool known = timed(view, line);

	return cell_of_count(known, known ? (uint64_t)(ns_of(view, ticks) + 0.5) : 0);
}

static struct cell quantile_ns(const struct profile_view *view, const struct profile_line *line, double part)
{
	return whole_ns(view, line, line->row ? (double)profile_row_quantile(line->row, part) : 0);
}

/* Of all exits of a line, estimated like their number. */
static double spent_ns(const struct profile_view *view, const struct profile_line *line)
{
	return timed(view, line) ? ns_of(view, (double)line->row->ticks) * line->exits / (double)line->row->count : 0;
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

static struct cell symbol_cell(const struct profile_view *view, const struct profile_key *key)
{
	char text[NEIGHBOURHOOD_TEXT_SIZE];

	if (is_rest(key))
		return cell_of_text("others");
	if (!key->value)
		return cell_not_observed(CELL_TEXT);
	if (key->reason == PROFILE_SYMBOL)
		return view->name(view->opaque, key);
	neighbourhood_text(key->value, text);
	return cell_of_format("%s", text);
}

static struct cell instruction_cell(const struct profile_line *line)
{
	if (is_rest(&line->key))
		return cell_of_text("others");
	return line->row ? exit_groups_instruction(line->key.value) : cell_not_observed(CELL_TEXT);
}

static struct cell cell_at(const void *data, size_t row, size_t column)
{
	const struct profile_view *view = data;
	const struct profile_line *line = &view->lines->lines[row];
	const struct profile_key *key = &line->key;
	bool known = number_known(view->lines, key->level);

	switch ((enum profile_column)column) {
	case PROFILE_COLUMN_TIME:
		return cell_of_number(CELL_SECONDS, true, view->time);
	case PROFILE_COLUMN_SECONDS:
		return cell_of_number(CELL_SECONDS, true, view->seconds);
	case PROFILE_COLUMN_TYPE:
		return cell_of_text(type_of(view));
	case PROFILE_COLUMN_OPERATION:
		return key->value ? view->name(view->opaque, key) : cell_of_text(operation_name(view, key));
	case PROFILE_COLUMN_RIP:
		return key->value ? cell_of_value(CELL_ADDRESS, key->value) : cell_not_observed(CELL_ADDRESS);
	case PROFILE_COLUMN_SYMBOL:
		return symbol_cell(view, key);
	case PROFILE_COLUMN_VCPU:
		return line->row ? view->name(view->opaque, key) : cell_not_observed(CELL_TEXT);
	case PROFILE_COLUMN_INSTRUCTION:
		return instruction_cell(line);
	case PROFILE_COLUMN_GUEST:
		return cell_of_text(key->nested ? "l2" : "l1");
	case PROFILE_COLUMN_LEVEL:
		return cell_of_text(level_keys[key->level]);
	case PROFILE_COLUMN_REASON:
		return key->isa == PROFILE_ISA_UNKNOWN ? cell_not_observed(CELL_TEXT)
						       : cell_of_text(reason_name(view, key));
	case PROFILE_COLUMN_RATE:
		return exits_cell(CELL_RATE, known && view->seconds > 0, line, line->exits / view->seconds);
	case PROFILE_COLUMN_SHARE:
		return cell_of_number(CELL_SHARE, true, 100 * line->exits / view->lines->total[key->level]);
	case PROFILE_COLUMN_MEAN:
		return whole_ns(view, line, timed(view, line) ? (double)line->row->ticks / (double)line->row->timed : 0);
	case PROFILE_COLUMN_MAX:
		return whole_ns(view, line, line->row ? (double)line->row->longest : 0);
	case PROFILE_COLUMN_SPENT:
		return exits_cell(CELL_SHARE, known && timed(view, line) && view->seconds > 0, line,
				  spent_ns(view, line) / view->seconds / 1e7);
	case PROFILE_COLUMN_TIME_NS:
		return whole_ns(view, line, line->row ? (double)line->row->ticks : 0);
	case PROFILE_COLUMN_MEDIAN:
		return quantile_ns(view, line, 0.5);
	case PROFILE_COLUMN_P99:
		return quantile_ns(view, line, 0.99);
	case PROFILE_COLUMN_TOTAL:
		return exits_cell(CELL_NUMBER, number_known(view->total, key->level), line,
				  total_of(view, line));
	case PROFILE_COLUMN_EXITS:
		return cell_of_number(CELL_NUMBER, known, line->exits);
	case PROFILE_COLUMN_RECORDED:
		return cell_of_count(true, line->row ? line->row->count : 0);
	default:
		return cell_of_value(CELL_TRUTH, line->estimated);
	}
}

/* That no times were observed is said once in a row, by the median, which has a column in any case. */
static struct cell text_cell_at(const void *data, size_t row, size_t column)
{
	const struct profile_view *view = data;
	bool beside = column == PROFILE_COLUMN_MEAN || column == PROFILE_COLUMN_P99 || column == PROFILE_COLUMN_MAX ||
		      column == PROFILE_COLUMN_SPENT;

	return beside && !timed(view, &view->lines->lines[row]) ? cell_of_text(NULL) : cell_at(data, row, column);
}

static struct table table_of(const struct profile_view *view, struct table_column columns[PROFILE_COLUMN_COUNT])
{
	choose_columns(view, columns);
	return (struct table){columns, PROFILE_COLUMN_COUNT, view->lines->count, cell_at, view, .fit = true};
}

/* Exits at a level in the interval. */
static struct cell level_cell(const struct profile_view *view, enum level level)
{
	if (level == LEVEL_MONITOR && !view->attached && view->engine->id == ENGINE_FLAT)
		return cell_of_text(NULL);
	if (level == LEVEL_MONITOR && view->interpreted)
		return cell_not_observed(CELL_NUMBER);
	return cell_of_number(CELL_NUMBER, number_known(view->lines, level), view->lines->total[level]);
}

static void print_sources(const struct profile_view *view, FILE *stream)
{
	fprintf(stream, "\nexits a second; share of a level in percent; handling time in ns\n");
	fprintf(stream, "l0: %s\n", view->l0_source);
	observed_print_missing(view->missing, stream);
	if (view->report)
		report_l0_text(view->report, stream);
	if (view->more_text)
		view->more_text(view->opaque, stream);
}

int profile_text(const struct profile_view *view, size_t rows, FILE *stream)
{
	struct table_column columns[PROFILE_COLUMN_COUNT];
	struct table table = table_of(view, columns);
	size_t more = rows && table.row_count > rows ? table.row_count - rows : 0;
	int rc = 0;

	table.cell = text_cell_at;
	table.row_count -= more;
	if (view->summary)
		fprintf(stream, "summary of %.1f s\n", view->seconds);
	else
		fprintf(stream, "%.1f s: the last %.1f s\n", view->time, view->seconds);
	if (table.row_count)
		rc = table_text(&table, stream);
	else
		fprintf(stream, "no exit%s\n",
			view->lines->l0_known ? "" : " at monitor or vmm; l0: " NOT_OBSERVED);
	if (more)
		fprintf(stream, "and %zu more\n", more);
	if (view->summary)
		print_sources(view, stream);
	else
		fputc('\n', stream);
	return rc;
}

void profile_csv_header(const struct profile_view *view, FILE *stream)
{
	struct table_column columns[PROFILE_COLUMN_COUNT];
	const struct table table = {.columns = columns, .column_count = PROFILE_COLUMN_COUNT};

	choose_columns(view, columns);
	table_csv_keys(&table, stream);
}

int profile_csv(const struct profile_view *view, FILE *stream)
{
	struct table_column columns[PROFILE_COLUMN_COUNT];
	const struct table table = table_of(view, columns);

	table_csv_rows(&table, stream);
	return 0;
}

static json_t *totals_json(const struct profile_view *view)
{
	json_t *object = json_object();

	for (int level = 0; level < LEVEL_COUNT; level++) {
		const struct cell cell = level_cell(view, (enum level)level);

		json_object_set_new(object, level_keys[level], cell_json(&cell));
	}
	return object;
}

/* What the guest itself measured of the operations that it has ended. */
static json_t *operations_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->row_count; i++) {
		const struct report_row *row = &report->rows[i];
		const struct cell ticks = cell_of_number(CELL_TICKS, row->ticks.samples != 0, row->ticks.total);

		if (row->summary && row->summary->batches)
			json_array_append_new(array, json_pack("{s:o,s:I,s:o}", "operation", json_text(row->name),
							       "repetitions", (json_int_t)row->summary->repetitions,
							       "ticks_total", cell_json(&ticks)));
	}
	return array;
}

static void add_summary(const struct profile_view *view, json_t *root)
{
	json_object_set_new(root, "l0_source", json_string(view->l0_source));
	json_object_set_new(root, "tracepoints", observed_missing_json(view->missing));
	if (view->report) {
		json_object_set_new(root, "l0_exits", report_l0_json(view->report));
		json_object_set_new(root, "operations", operations_json(view->report));
	}
	if (view->more_json)
		view->more_json(view->opaque, root);
}

/* One document in a line for each interval, and one for the summary. */
int profile_json(const struct profile_view *view, FILE *stream)
{
	json_t *root = json_begin("sidestep.profile", PROFILE_VERSION);
	struct table_column columns[PROFILE_COLUMN_COUNT];
	const struct table table = table_of(view, columns);

	json_object_set_new(root, "type", json_string(type_of(view)));
	json_object_set_new(root, "time", json_real(view->time));
	json_object_set_new(root, "seconds", json_real(view->seconds));
	json_object_set_new(root, "by", json_string(group_key_names[view->by]));
	json_object_set_new(root, "engine", json_string(view->attached ? "attached" : engine_keys[view->engine->id]));
	json_object_set_new(root, "exits", totals_json(view));
	json_object_set_new(root, "rows", table_json(&table));
	if (view->summary)
		add_summary(view, root);
	return json_finish_line(root, stream);
}
