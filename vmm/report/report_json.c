/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/observed.h"
#include "vmm/report/report_exits.h"
#include "vmm/report/report_io.h"
#include "vmm/report/report_l0.h"
#include "vmm/report/report_violations.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/json.h"

#define REPORT_VERSION 1
#define VIOLATIONS_VERSION 1

static json_t *jail_json(const struct report *report)
{
	return json_pack("{s:o,s:o,s:o}", "seccomp", json_text(report->seccomp), "landlock",
			 json_text(report->landlock), "instrumented", json_text(report->instrumented));
}

void json_run(json_t *object, const struct report *report)
{
	json_object_set_new(object, "engine", json_text(report_engine(report)));
	json_object_set_new(object, "backend", json_string(host_backend_keys[report->backend]));
	json_object_set_new(object, "kernel", json_text(report->kernel));
	json_object_set_new(object, "guest", json_text(report->guest));
	json_object_set_new(object, "vcpus", json_integer(report->vcpus));
	json_object_set_new(object, "vms", json_integer(report->vms));
	json_object_set_new(object, "jail", jail_json(report));
	json_object_set_new(object, "sidestep", json_text(report->sidestep));
	json_object_set_new(object, "command", json_text(report->command));
	json_object_set_new(object, "date", json_text(report->date));
	json_object_set_new(object, "evidence", observed_json(report, observed_counts_text));
	json_object_set_new(object, "recorded", observed_json(report, observed_records_text));
}

static json_t *stats_json(const struct operation_summary *summary)
{
	json_t *object = json_object();

	for (int i = 0; i < STAT_COUNT; i++)
		if (stat_observed(&summary->stats, (enum stat_id)i))
			json_object_set_new(object, stat_names[i],
					    json_count(summary->stats.value[i]));
	return object;
}

static json_t *reasons_json(const struct operation_summary *summary)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < EXIT_REASON_COUNT; i++)
		if (summary->reasons[i])
			json_object_set_new(object, exit_reason_key(i),
					    json_count(summary->reasons[i]));
	return object;
}

static json_t *exits_json(const struct report *report, const struct operation_summary *summary)
{
	bool relay = observed_records(report, LEVEL_MONITOR) != RECORDED_NO_LEVEL;

	return json_pack("{s:o,s:o}", "monitor", relay ? json_count(summary->exits[LEVEL_MONITOR]) : json_null(),
			 "vmm", json_count(summary->exits[LEVEL_VMM]));
}

static json_t *ticks_json(const struct tick_summary *ticks)
{
	const struct cell cell = cell_of_number(CELL_TICKS, ticks->samples != 0, ticks->total);

	return cell_json(&cell);
}

/* What programs get of a row besides its columns. */
static void add_more(const struct report *report, const struct report_row *row, json_t *object)
{
	if (!row->summary)
		return;
	if (row->summary->result_known) {
		json_object_set_new(object, "value", json_hex(row->summary->result.value));
		json_object_set_new(object, "faults", json_integer(row->summary->result.faults));
	}
	json_object_set_new(object, "ticks_total", ticks_json(&row->ticks));
	json_object_set_new(object, "violations", json_count(row->summary->violations));
	json_object_set_new(object, "exits_total", exits_json(report, row->summary));
	json_object_set_new(object, "vmm_reasons", reasons_json(row->summary));
	json_object_set_new(object, "kvm_stats", stats_json(row->summary));
	json_object_set_new(object, "l0_exits", report_l0_row_json(report, row->summary));
}

static json_t *operations_json(const struct report *report)
{
	const struct table table = report_table(report);
	json_t *rows = table_json(&table), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		add_more(report, &report->rows[i], row);
	return rows;
}

/* How each VM was configured; null where that is not known. */
static json_t *plans_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < REPORT_VMS_MAX && i < report->vms; i++)
		json_array_append_new(array, json_text(report->plans[i]));
	return array;
}

static json_t *totals_json(const struct report *report)
{
	return json_pack("{s:i,s:i,s:i}", "passed", (int)report->passed, "failed",
			 (int)report->failed, "skipped", (int)report->skipped);
}

json_t *json_report(const struct report *report)
{
	json_t *root = json_begin(report->schema, REPORT_VERSION);

	json_run(root, report);
	json_object_set_new(root, "status", json_integer(report->status));
	json_object_set_new(root, "end", json_text(report->end[0] ? report->end : NULL));
	json_object_set_new(root, "plans", plans_json(report));
	json_object_set_new(root, "tracepoints", observed_missing_json(report->trace_missing));
	json_object_set_new(root, "l0_exits", report_l0_json(report));
	json_object_set_new(root, "totals", totals_json(report));
	json_object_set_new(root, "lost", json_count(report->lost));
	json_object_set_new(root, "samples_dropped", json_boolean(report->summary->samples_dropped));
	json_object_set_new(root, "operations", operations_json(report));
	report_exits_json(report, root);
	json_object_set_new(root, "violations", violations_json(report));
	json_object_set_new(root, "interrupts", report_interrupts_json(report));
	json_object_set_new(root, "pins", report_pins_json(report));
	return root;
}

int report_json(const struct report *report, FILE *stream)
{
	return json_finish(json_report(report), stream);
}

int violations_document(const struct report *report, FILE *stream)
{
	json_t *root = json_begin("sidestep.ledger.violations", VIOLATIONS_VERSION);

	json_run(root, report);
	json_object_set_new(root, "total", json_count(violations_total(report)));
	json_object_set_new(root, "violations", violations_json(report));
	return json_finish(root, stream);
}
