/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "devices/console.h"

const char *const column_headers[COLUMN_COUNT] = {
#define COLUMN(id, header, key, type, meaning) header,
#include "column.def"
#undef COLUMN
};

const char *const column_keys[COLUMN_COUNT] = {
#define COLUMN(id, header, key, type, meaning) #key,
#include "column.def"
#undef COLUMN
};

const char *const column_meanings[COLUMN_COUNT] = {
#define COLUMN(id, header, key, type, meaning) meaning,
#include "column.def"
#undef COLUMN
};

const enum cell_type column_types[COLUMN_COUNT] = {
#define COLUMN(id, header, key, type, meaning) CELL_##type,
#include "column.def"
#undef COLUMN
};

const char *const verdict_names[] = {"-", "pass", "FAIL", "skip"};

const char *vector_name(uint32_t vector)
{
	/* Intel SDM vol. 3A, table 6-1 */
	static const char *const names[] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL, "#TS",
		"#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
	};

	return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : NULL;
}

void report_plain(FILE *stream, const char *text)
{
	for (; *text; text++) {
		char escaped[4];

		fwrite(escaped, 1, console_escape(escaped, (unsigned char)*text, false), stream);
	}
}

void report_measure(const struct report *report, struct report_row *row)
{
	const struct operation_summary *loop = report->loop;
	struct tick_summary empty = {0};

	for (int level = 0; level < LEVEL_COUNT; level++)
		row->exits_known[level] = summary_exits(row->summary, loop, report->backend,
							(enum level)level, &row->exits[level]);
	row->placement = summary_placement(row->summary, loop, report->backend);
	summary_ticks(row->summary, &row->ticks);
	if (loop)
		summary_ticks(loop, &empty);
	row->eet = row->ticks.median - empty.median;
}

const char *access_name(uint32_t access)
{
	return access & VIEW_WRITE ? "write" : access & VIEW_EXECUTE ? "fetch" : "read";
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

/* The row with the shortest name that `name` becomes when it is cut before one of its dots: "cr0.ts.mov"
 * for "cr0.ts.mov.kept". */
static const struct report_row *base_of(const struct report *report, const char *name)
{
	const struct report_row *base = NULL;

	for (const char *dot = strrchr(name, '.'); dot;
	     dot = memrchr(name, '.', (size_t)(dot - name))) {
		size_t length = (size_t)(dot - name);

		for (size_t i = 0; i < report->row_count; i++)
			if (strlen(report->rows[i].name) == length &&
			    memcmp(report->rows[i].name, name, length) == 0)
				base = &report->rows[i];
	}
	return base;
}

void report_compare(struct report *report)
{
	for (size_t i = 0; i < report->row_count; i++) {
		struct report_row *row = &report->rows[i];
		const struct report_row *base = base_of(report, row->name);

		if (base && base->ticks.median > 0 && row->ticks.samples)
			row->ratio = row->ticks.median / base->ticks.median;
	}
}

static const struct report_row *row_with_l0(const struct report *report)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (report->rows[i].exits_known[LEVEL_L0])
			return &report->rows[i];
	return NULL;
}

static const char *l0_evidence(const struct report *report)
{
	const struct report_row *row = row_with_l0(report);

	if (!row)
		return report->counters_missing
			       ? "not observed: this KVM has no KVM_GET_STATS_FD; use Linux 5.14 or later"
			       : "not observed: no operation was performed to its end";
	switch ((int)summary_l0_counter(&row->summary->stats, report->backend)) {
	case STAT_insn_emulation:
		return "instructions interpreted (KVM_GET_STATS_FD insn_emulation), less the empty loop";
	case STAT_exits:
		return "KVM_GET_STATS_FD exits, without the host's own interrupts";
	case STAT_TRACE_FIRST + TRACE_kvm_emulate_insn:
		return "instructions interpreted (tracepoint kvm:kvm_emulate_insn), less the empty loop";
	default:
		return "tracepoint kvm:kvm_exit, without the host's own interrupts (it costs ticks; "
		       "bench does without)";
	}
}

const char *report_evidence(const struct report *report, enum level level)
{
	switch (level) {
	case LEVEL_L0:
		return l0_evidence(report);
	case LEVEL_MONITOR:
		return report->engine == ENGINE_FLAT ? "this engine has none" : "ring of the relay";
	default:
		return "run loop";
	}
}

static void describe_outcome(const struct report_row *row, struct cell *cell)
{
	const struct ss_result *result = &row->summary->result;

	cell->text = cell->buffer;
	if (!row->summary->result_known)
		cell->known = false;
	else if (row->summary->results_differ)
		cell->text = "differs between vCPUs";
	else if (result->faults == 0)
		snprintf(cell->buffer, sizeof(cell->buffer), "0x%" PRIx64, result->value);
	else if (vector_name(result->vector))
		snprintf(cell->buffer, sizeof(cell->buffer), "%s%s", vector_name(result->vector),
			 result->faults == result->count ? "" : " at times");
	else
		snprintf(cell->buffer, sizeof(cell->buffer), "vector %" PRIu32, result->vector);
}

static void set_number(struct cell *cell, bool known, double number)
{
	cell->known = known;
	cell->number = number;
}

void report_cell(const struct report *report, const struct report_row *row, enum column column,
		 struct cell *cell)
{
	/* Not reached is not the same as performed without anybody looking. */
	bool measured = row->summary && (row->summary->batches || row->summary->result_known);

	if (report->hidden >> column & 1) {
		*cell = (struct cell){.absent = true};
		return;
	}
	*cell = (struct cell){.known = true, .absent = !measured};
	switch (column) {
	case COLUMN_OPERATION:
		cell->absent = false;
		cell->text = row->name;
		break;
	case COLUMN_RESULT:
		cell->absent = false;
		cell->text = verdict_names[row->verdict];
		break;
	case COLUMN_NOTE:
		cell->absent = row->note[0] == '\0';
		cell->text = row->note;
		break;
	case COLUMN_OUTCOME:
		if (measured)
			describe_outcome(row, cell);
		break;
	case COLUMN_REPETITIONS:
		set_number(cell, true, measured ? (double)row->summary->repetitions : 0);
		break;
	case COLUMN_L0:
		set_number(cell, row->exits_known[LEVEL_L0], (double)row->exits[LEVEL_L0]);
		break;
	case COLUMN_MONITOR:
		cell->absent |= report->engine == ENGINE_FLAT;
		set_number(cell, row->exits_known[LEVEL_MONITOR], (double)row->exits[LEVEL_MONITOR]);
		break;
	case COLUMN_VMM:
		set_number(cell, row->exits_known[LEVEL_VMM], (double)row->exits[LEVEL_VMM]);
		break;
	case COLUMN_PLACEMENT:
		cell->known = row->placement != PLACEMENT_UNKNOWN;
		cell->text = placement_keys[row->placement];
		break;
	case COLUMN_TICKS_MIN:
		set_number(cell, row->ticks.samples != 0, row->ticks.minimum);
		break;
	case COLUMN_TICKS_MEDIAN:
		set_number(cell, row->ticks.samples != 0, row->ticks.median);
		break;
	case COLUMN_TICKS_P99:
		set_number(cell, row->ticks.samples != 0, row->ticks.percentile99);
		break;
	case COLUMN_RATIO:
		cell->absent |= row->ratio == 0;
		set_number(cell, true, row->ratio);
		break;
	case COLUMN_EET:
		set_number(cell, row->ticks.samples != 0 && report->loop, row->eet);
		break;
	default:
		cell->absent = true;
	}
}

const char *cell_text(const struct cell *cell, enum cell_type type, char *buffer, size_t size)
{
	if (cell->absent)
		return "-";
	if (!cell->known)
		return "not observed";
	if (type == CELL_TEXT)
		return cell->text;
	/* Ticks below a hundred differ in their tenths, ratios below a tenth in their thousandths. */
	snprintf(buffer, size, "%.*f",
		 type != CELL_TICKS || cell->number >= 99.95	? 0
		 : cell->number > 0 && cell->number < 0.0995 ? 3
							     : 1,
		 cell->number);
	return buffer;
}
