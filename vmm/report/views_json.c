/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/views_report.h"
#include "vmm/table/json.h"

#define VIEWS_VERSION 1

static json_t *rights_json(unsigned rights)
{
	char text[RIGHTS_TEXT_SIZE];

	rights_text(rights, text);
	return json_string(text);
}

static json_t *gates_json(const struct views_report *report, uint32_t view)
{
	const struct policy_file_list *gates = &report->file.views[view].gates;
	json_t *array = json_array();

	for (size_t i = 0; i < gates->count; i++)
		json_array_append_new(array, json_string(report->file.policy.regions[gates->regions[i]].name));
	return array;
}

/* The regions where violations exit although elsewhere they are #VE. */
static json_t *suppress_json(const struct view_policy *policy, const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->rule_count; i++)
		if (view->ve && !view->rules[i].ve)
			json_array_append_new(array, json_string(policy->regions[view->rules[i].region].name));
	return array;
}

/* What a view has besides its cells. `rights_texts`: each combination, once for all rules. */
static void add_to_view(const struct views_report *report, uint32_t index, json_t *object,
			json_t *const rights_texts[VIEW_RIGHTS_ALL + 1])
{
	const struct view_policy *policy = &report->file.policy;
	const struct view *view = &policy->views[index];
	json_t *rights = json_object(), *remap = json_object();

	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];
		const char *region = policy->regions[rule->region].name;

		json_object_set(rights, region, rights_texts[rule->rights]);
		if (rule->remapped)
			json_object_set_new(remap, region, json_hex(rule->target.v));
	}
	json_object_set_new(object, "gates", gates_json(report, index));
	json_object_set(object, "default", rights_texts[view->rights]);
	json_object_set_new(object, "rights", rights);
	json_object_set_new(object, "remap", remap);
	json_object_set_new(object, "ve", json_boolean(view->ve));
	json_object_set_new(object, "suppress", suppress_json(policy, view));
}

static json_t *views_array(const struct views_report *report)
{
	const struct table table = views_table(report);
	json_t *array = table_json(&table), *rights_texts[VIEW_RIGHTS_ALL + 1], *object;
	size_t v;

	for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++)
		rights_texts[rights] = rights_json(rights);
	json_array_foreach(array, v, object)
		add_to_view(report, (uint32_t)v, object, rights_texts);
	for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++)
		json_decref(rights_texts[rights]);
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
	const struct table table = views_shared_table(report);
	json_t *array = table_json(&table), *numbers = json_array(), *object;
	size_t i;

	for (uint32_t v = 0; v < report->file.policy.view_count; v++)
		json_array_append_new(numbers, json_integer(v));
	json_array_foreach(array, i, object) {
		json_object_set_new(object, "written_in", set_json(numbers, &report->survey.shared[i].writers));
		json_object_set_new(object, "also_seen_in", set_json(numbers, &report->survey.shared[i].readers));
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

		json_array_append_new(
			array, json_pack("{s:s,s:i,s:i,s:s?,s:s}", "severity",
					 severity_keys[entry->severity], "line", entry->place.line, "column",
					 entry->place.column, "key", entry->key, "text", entry->text));
	}
	return array;
}

int views_json(const struct views_report *report, FILE *stream)
{
	const struct diagnostics *diagnostics = &report->diagnostics;
	const struct table regions = views_regions_table(report);
	json_t *root = json_begin("sidestep.views", VIEWS_VERSION);

	json_object_set_new(root, "policy", json_text(report->path));
	json_object_set_new(root, "guest", json_text(report->guest));
	json_object_set_new(root, "memory", json_count(report->memory));
	json_object_set_new(root, "engine", json_string(engine_keys[report->engine->id]));
	json_object_set_new(root, "format", json_string(report->target.view.format->name));
	json_object_set_new(root, "basis", json_text(report->target.basis));
	json_object_set_new(root, "errors",     json_count(diagnostics->count[SEVERITY_ERROR]));
	json_object_set_new(root, "warnings",     json_count(diagnostics->count[SEVERITY_WARNING]));
	json_object_set_new(root, "stopped", json_boolean(diagnostics->stopped));
	json_object_set_new(root, "diagnostics", diagnostics_array(diagnostics));
	if (report->sound) {
		json_object_set_new(root, "views", views_array(report));
		json_object_set_new(root, "regions", table_json(&regions));
		json_object_set_new(root, "shared", shared_array(report));
		json_object_set_new(root, "tables", tables_json(report));
	}
	return json_finish(root, stream);
}
