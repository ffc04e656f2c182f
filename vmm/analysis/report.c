/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/report.h"

#include <stdlib.h>
#include <inttypes.h>

const struct table_column report_columns[COLUMN_COUNT] = {
#define COLUMN TABLE_COLUMN
#include "vmm/analysis/column.def"
#undef COLUMN
};

static const char *const verdict_names[] = {"-", "pass", "FAIL", "skip"};

const char *vector_name(uint32_t vector)
{
	/* Intel SDM vol. 3A, table 6-1 */
	static const char *const names[] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL, "#TS",
		"#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
	};

	return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : NULL;
}

const char *report_view_name(const struct report *report, uint32_t view)
{
	return view < report->view_count && report->view_names[view] ? report->view_names[view] : "?";
}

const char *report_operation_name(const struct report *report, uint32_t number)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (report->rows[i].number == number)
			return report->rows[i].name;
	return "-";
}

static struct cell outcome_of(const struct report_row *row)
{
	const struct ss_result *result = &row->summary->result;

	if (row->summary->marked)
		return cell_of_text(NULL);
	if (!row->summary->result_known)
		return cell_not_observed(CELL_TEXT);
	if (row->summary->results_differ)
		return cell_of_text("differs between vCPUs");
	if (result->faults == 0)
		return cell_of_format("0x%" PRIx64, result->value);
	if (vector_name(result->vector))
		return cell_of_format("%s%s", vector_name(result->vector),
				      result->faults == result->count ? "" : " at times");
	return cell_of_format("vector %" PRIu32, result->vector);
}

static struct cell exits_of(const struct report_row *row, enum level level)
{
	return cell_of_count(row->exits_known[level], row->exits[level]);
}

static struct cell ticks_of(const struct report_row *row, double ticks)
{
	return cell_of_number(CELL_TICKS, row->ticks.samples != 0, ticks);
}

static struct cell placement_of(const struct report_row *row)
{
	return row->placement == PLACEMENT_UNKNOWN ? cell_not_observed(CELL_TEXT)
						   : cell_of_text(placement_keys[row->placement]);
}

/* Of an operation that was performed, if not always to its end. */
static struct cell measured_cell(const struct report *report, const struct report_row *row,
				 enum column column)
{
	switch (column) {
	case COLUMN_OUTCOME:
		return outcome_of(row);
	case COLUMN_REPETITIONS:
		return cell_of_count(row->summary->batches != 0, row->summary->repetitions);
	case COLUMN_L0:
		return report_has_no_l0(report) ? cell_of_text(NULL) : exits_of(row, LEVEL_L0);
	case COLUMN_MONITOR:
		return report->engine == ENGINE_FLAT ? cell_of_text(NULL) : exits_of(row, LEVEL_MONITOR);
	case COLUMN_VMM:
		return exits_of(row, LEVEL_VMM);
	case COLUMN_PLACEMENT:
		return placement_of(row);
	case COLUMN_TICKS_MIN:
		return ticks_of(row, row->ticks.minimum);
	case COLUMN_TICKS_MEDIAN:
		return ticks_of(row, row->ticks.median);
	case COLUMN_TICKS_P99:
		return ticks_of(row, row->ticks.percentile99);
	case COLUMN_RATIO:
		return row->ratio == 0 ? cell_of_text(NULL) : ticks_of(row, row->ratio);
	case COLUMN_EET:
		if (row->summary->marked)
			return cell_of_text(NULL);
		return row->loop && row->loop->sample_count ? ticks_of(row, row->eet)
							    : cell_not_observed(CELL_TICKS);
	default:
		return cell_of_text(NULL);
	}
}

struct cell report_cell(const struct report *report, const struct report_row *row, enum column column)
{
	/* Not reached is not the same as performed without anybody looking. */
	bool measured = row->summary && (row->summary->batches || row->summary->result_known);

	if (report->hidden >> column & 1)
		return cell_of_text(NULL);
	if (column == COLUMN_OPERATION)
		return cell_of_text(row->name);
	if (column == COLUMN_VM && row->vm != REPORT_ALL_VMS)
		return cell_of_count(true, (uint64_t)row->vm);
	if (column == COLUMN_RESULT)
		return cell_of_text(verdict_names[row->verdict]);
	if (column == COLUMN_NOTE)
		return cell_of_text(row->note[0] ? row->note : NULL);
	return measured ? measured_cell(report, row, column) : cell_of_text(NULL);
}

static struct cell cell_at(const void *data, size_t row, size_t column)
{
	const struct report *report = data;

	return report_cell(report, &report->rows[row], (enum column)column);
}

struct table report_table(const struct report *report)
{
	return (struct table){report_columns, COLUMN_COUNT, report->row_count, cell_at, report, .fit = true};
}

bool report_attached(const struct report *report)
{
	return report->engine_name && strcmp(report->engine_name, "attached") == 0;
}

const char *report_engine(const struct report *report)
{
	return report->engine_name ? report->engine_name : engine_keys[report->engine];
}

void report_finish(struct report *report)
{
	free(report->rows);
	free(report->view_names);
	*report = (struct report){0};
}
