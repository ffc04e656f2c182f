/* SPDX-License-Identifier: GPL-2.0-only */
/* One JSON document in one line for each interval, and one for the summary. */
#include <errno.h>
#include <stdlib.h>

#include "json.h"
#include "profile_write.h"
#include "report_l0.h"

static json_t *row_json(const struct profile_view *view, const struct profile_line *line)
{
	json_t *object = json_object();

	for (int i = 0; i < PROFILE_COLUMN_COUNT; i++) {
		json_t *value;
		double number;

		if (i <= PROFILE_COLUMN_REASON)
			value = json_text(profile_name(view, line, (enum profile_column)i));
		else if (profile_number(view, line, (enum profile_column)i, &number))
			value = json_real(number);
		else
			value = json_string("not observed");
		json_object_set_new(object, profile_column_keys[i], value);
	}
	json_object_set_new(object, "exits", json_real(line->exits));
	json_object_set_new(object, "recorded",
			    json_integer(line->row ? (json_int_t)line->row->count : 0));
	json_object_set_new(object, "estimated", json_boolean(line->estimated));
	return object;
}

static json_t *totals_json(const struct profile_view *view)
{
	json_t *object = json_object();

	for (int level = 0; level < LEVEL_COUNT; level++)
		json_object_set_new(object, level_keys[level],
				    json_real(view->lines->total[level]));
	return object;
}

/* What the guest itself measured of the operations that it has ended. */
static json_t *operations_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->row_count; i++) {
		const struct report_row *row = &report->rows[i];
		json_t *object;

		if (!row->summary || row->summary->batches == 0)
			continue;
		object = json_object();
		json_object_set_new(object, "operation", json_text(row->name));
		json_object_set_new(object, "repetitions",
				    json_integer((json_int_t)row->summary->repetitions));
		json_object_set_new(object, "ticks_total", json_real(row->ticks.total));
		json_array_append_new(array, object);
	}
	return array;
}

static void add_summary(const struct profile_view *view, json_t *root)
{
	json_object_set_new(root, "l0_source", json_string(view->l0_source));
	json_object_set_new(root, "tracepoints",
			    view->missing[0] ? json_sprintf("not observed: %s", view->missing)
					     : json_null());
	json_object_set_new(root, "l0_exits", report_l0_json(view->report));
	json_object_set_new(root, "operations", operations_json(view->report));
}

int profile_json(const struct profile_view *view, FILE *stream)
{
	json_t *root = json_begin("sidestep.profile", PROFILE_VERSION), *rows = json_array();
	int rc;

	json_object_set_new(root, "type", json_string(view->summary ? "summary" : "interval"));
	json_object_set_new(root, "time", json_real(view->time));
	json_object_set_new(root, "seconds", json_real(view->seconds));
	json_object_set_new(root, "engine", json_string(engine_keys[view->engine->id]));
	json_object_set_new(root, "exits", totals_json(view));
	for (size_t i = 0; i < view->lines->count; i++)
		json_array_append_new(rows, row_json(view, &view->lines->lines[i]));
	json_object_set_new(root, "rows", rows);
	if (view->summary)
		add_summary(view, root);
	rc = root ? json_dumpf(root, stream, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10)) : -1;
	fputc('\n', stream);
	json_decref(root);
	return rc == 0 || ferror(stream) ? 0 : -ENOMEM;
}
