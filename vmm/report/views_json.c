/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/views_report.h"
#include "vmm/table/json.h"

#define VIEWS_VERSION 1

static json_t *region_json(const struct views_report *report, uint32_t region)
{
	return region < report->file.policy.region_count
		       ? json_string(report->file.policy.regions[region].name)
		       : json_null();
}

static json_t *rights_json(unsigned rights)
{
	char text[RIGHTS_TEXT_SIZE];

	rights_text(rights, text);
	return json_string(text);
}

static json_t *gates_json(const struct views_report *report, uint32_t view)
{
	const struct policy_file_view *notes = &report->file.views[view];
	json_t *array = json_array();

	for (size_t i = 0; i < notes->gate_count; i++)
		json_array_append_new(array, region_json(report, notes->gates[i]));
	return array;
}

static json_t *cell_json(const struct views_report *report, uint32_t view, enum view_column column)
{
	uint64_t number;

	if (column == VIEW_COLUMN_NAME)
		return json_string(report->file.policy.views[view].name);
	if (column == VIEW_COLUMN_GATES)
		return gates_json(report, view);
	if (!views_number(report, view, column, &number))
		return json_null();
	return json_integer((json_int_t)number);
}

/* `rights_texts`: each combination, once for all rules. */
static json_t *view_json(const struct views_report *report, uint32_t index,
			 json_t *const rights_texts[VIEW_RIGHTS_ALL + 1])
{
	const struct view_policy *policy = &report->file.policy;
	const struct view *view = &policy->views[index];
	json_t *object = json_object(), *rights = json_object(), *remap = json_object();

	for (int c = 0; c < VIEW_COLUMN_COUNT; c++)
		json_object_set_new(object, view_columns[c].key,
				    cell_json(report, index, (enum view_column)c));
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];
		const char *region = policy->regions[rule->region].name;

		json_object_set(rights, region, rights_texts[rule->rights]);
		if (rule->remapped)
			json_object_set_new(remap, region, json_hex(rule->target.v));
	}
	json_object_set_new(object, "default", rights_json(view->rights));
	json_object_set_new(object, "rights", rights);
	json_object_set_new(object, "remap", remap);
	return object;
}

static json_t *views_array(const struct views_report *report)
{
	json_t *array = json_array(), *rights_texts[VIEW_RIGHTS_ALL + 1];

	for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++)
		rights_texts[rights] = rights_json(rights);
	for (uint32_t v = 0; v < report->file.policy.view_count; v++)
		json_array_append_new(array, view_json(report, v, rights_texts));
	for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++)
		json_decref(rights_texts[rights]);
	return array;
}

static json_t *regions_array(const struct views_report *report)
{
	const struct view_policy *policy = &report->file.policy;
	json_t *array = json_array();

	for (size_t i = 0; i < policy->region_count; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "name", json_string(policy->regions[i].name));
		json_object_set_new(object, "address", json_hex(policy->regions[i].gpa.v));
		json_object_set_new(object, "size",
				    json_integer((json_int_t)policy->regions[i].size));
		json_array_append_new(array, object);
	}
	return array;
}

/* Of `numbers`, one for each view, those that are in the set: a number is there once for all sets. */
static json_t *set_json(const json_t *numbers, const struct view_set *set)
{
	json_t *array = json_array();

	for (uint32_t v = 0; v < json_array_size(numbers); v++)
		if (view_set_has(set, v))
			json_array_append(array, json_array_get(numbers, v));
	return array;
}

static json_t *shared_array(const struct views_report *report)
{
	json_t *array = json_array(), *numbers = json_array();

	for (uint32_t v = 0; v < report->file.policy.view_count; v++)
		json_array_append_new(numbers, json_integer(v));
	for (size_t i = 0; i < report->survey.shared_count; i++) {
		const struct shared_memory *shared = &report->survey.shared[i];
		json_t *object = json_object();

		json_object_set_new(object, "address", json_hex(shared->gpa.v));
		json_object_set_new(object, "size", json_integer((json_int_t)shared->size));
		json_object_set_new(object, "region", region_json(report, shared->region));
		json_object_set_new(object, "written_in", set_json(numbers, &shared->writers));
		json_object_set_new(object, "also_seen_in", set_json(numbers, &shared->readers));
		json_array_append_new(array, object);
	}
	json_decref(numbers);
	return array;
}

static json_t *tables_json(const struct views_report *report)
{
	const struct ept_views *tables = report->tables;

	if (!tables)
		return json_null();
	return json_pack("{s:I,s:I,s:I}", "count", (json_int_t)tables->tables_total, "bytes",
			 (json_int_t)(tables->tables_total * GPA_PAGE_SIZE), "unshared",
			 (json_int_t)tables->tables_unshared);
}

static json_t *diagnostics_array(const struct diagnostics *diagnostics)
{
	json_t *array = json_array();

	for (size_t i = 0; i < diagnostics->kept; i++) {
		const struct diagnostic *entry = &diagnostics->list[i];
		json_t *object = json_object();

		json_object_set_new(object, "severity",
				    json_string(severity_keys[entry->severity]));
		json_object_set_new(object, "line", json_integer(entry->place.line));
		json_object_set_new(object, "column", json_integer(entry->place.column));
		json_object_set_new(object, "key",
				    entry->key ? json_string(entry->key) : json_null());
		json_object_set_new(object, "text", json_string(entry->text));
		json_array_append_new(array, object);
	}
	return array;
}

int views_json(const struct views_report *report, FILE *stream)
{
	const struct diagnostics *diagnostics = &report->diagnostics;
	json_t *root = json_begin("sidestep.views", VIEWS_VERSION);

	json_object_set_new(root, "policy", json_text(report->path));
	json_object_set_new(root, "guest", json_text(report->guest));
	json_object_set_new(root, "memory", json_integer((json_int_t)report->memory));
	json_object_set_new(root, "engine", json_string(engine_keys[report->engine->id]));
	json_object_set_new(root, "format", json_string(report->target.view.format->name));
	json_object_set_new(root, "basis", json_text(report->target.basis));
	json_object_set_new(root, "errors",
			    json_integer((json_int_t)diagnostics->count[SEVERITY_ERROR]));
	json_object_set_new(root, "warnings",
			    json_integer((json_int_t)diagnostics->count[SEVERITY_WARNING]));
	json_object_set_new(root, "stopped", json_boolean(diagnostics->stopped));
	json_object_set_new(root, "diagnostics", diagnostics_array(diagnostics));
	if (report->sound) {
		json_object_set_new(root, "views", views_array(report));
		json_object_set_new(root, "regions", regions_array(report));
		json_object_set_new(root, "shared", shared_array(report));
		json_object_set_new(root, "tables", tables_json(report));
	}
	return json_finish(root, stream);
}
