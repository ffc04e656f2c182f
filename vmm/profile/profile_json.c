/* SPDX-License-Identifier: GPL-2.0-only */
/* One JSON document in one line for each interval, and one for the summary. */
#include "vmm/analysis/observed.h"
#include "vmm/profile/profile_write.h"
#include "vmm/report/report_l0.h"
#include "vmm/table/json.h"

static json_t *totals_json(const struct profile_view *view)
{
	json_t *object = json_object();

	for (int level = 0; level < LEVEL_COUNT; level++) {
		const struct cell cell = profile_level(view, (enum level)level);

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
	json_object_set_new(root, "l0_exits", report_l0_json(view->report));
	json_object_set_new(root, "operations", operations_json(view->report));
}

int profile_json(const struct profile_view *view, FILE *stream)
{
	json_t *root = json_begin("sidestep.profile", PROFILE_VERSION);
	const struct table table = profile_table(view);

	json_object_set_new(root, "type", json_string(profile_type(view)));
	json_object_set_new(root, "time", json_real(view->time));
	json_object_set_new(root, "seconds", json_real(view->seconds));
	json_object_set_new(root, "engine", json_string(engine_keys[view->engine->id]));
	json_object_set_new(root, "exits", totals_json(view));
	json_object_set_new(root, "rows", table_json(&table));
	if (view->summary)
		add_summary(view, root);
	return json_finish_line(root, stream);
}
