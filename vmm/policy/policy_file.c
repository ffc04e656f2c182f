/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_file.h"

#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>

#include "views/policy_soften.h"
#include "vmm/policy/policy_read.h"

struct checking {
	const struct policy_file *file;
	const struct policy_subject *subject;
	struct diagnostics *diagnostics;
	bool out_of_memory;
};

void rights_text(unsigned rights, char text[RIGHTS_TEXT_SIZE])
{
	text[0] = rights & VIEW_READ ? 'r' : '-';
	text[1] = rights & VIEW_WRITE ? 'w' : '-';
	text[2] = rights & VIEW_EXECUTE ? 'x' : '-';
	text[3] = '\0';
}

struct place policy_file_region_place(const struct policy_file *file, uint32_t region)
{
	for (size_t i = 0; i < file->region_count; i++)
		if (file->regions[i].index == region)
			return policy_text_name(&file->text, file->regions[i].setting);
	return (struct place){1, 1};
}

struct place policy_file_view_place(const struct policy_file *file, uint32_t view)
{
	return policy_text_name(&file->text, file->views[view].setting);
}

struct place policy_file_default_place(const struct policy_file *file, uint32_t view)
{
	const config_setting_t *rights =
		policy_text_member(&file->text, file->views[view].setting, "default");

	return rights ? policy_text_value(&file->text, rights) : policy_file_view_place(file, view);
}

struct place policy_file_gate_place(const struct policy_file *file, uint32_t view, uint32_t region)
{
	const struct policy_file_view *notes = &file->views[view];

	for (size_t i = 0; i < notes->gate_count; i++)
		if (notes->gates[i] == region)
			return policy_text_value(&file->text, notes->gate_settings[i]);
	return policy_file_view_place(file, view);
}

int policy_file_compare_rules(const void *a, const void *b)
{
	const struct policy_file_rule *x = a, *y = b;

	if (x->remap != y->remap)
		return x->remap ? 1 : -1;
	return (x->region > y->region) - (x->region < y->region);
}

static const config_setting_t *rule(const struct policy_file *file, uint32_t view, uint32_t region,
				    bool remap)
{
	const struct policy_file_view *notes = &file->views[view];
	const struct policy_file_rule key = {.region = region, .remap = remap}, *found = NULL;

	if (notes->rule_count)
		found = bsearch(&key, notes->rules, notes->rule_count, sizeof(key),
				policy_file_compare_rules);
	return found ? found->setting : NULL;
}

bool policy_file_has_rights(const struct policy_file *file, uint32_t view, uint32_t region)
{
	return rule(file, view, region, false) != NULL;
}

struct place policy_file_rights_place(const struct policy_file *file, uint32_t view,
				      uint32_t region)
{
	const config_setting_t *setting = rule(file, view, region, false);

	return setting ? policy_text_value(&file->text, setting)
		       : policy_file_default_place(file, view);
}

struct place policy_file_remap_place(const struct policy_file *file, uint32_t view, uint32_t region)
{
	const config_setting_t *setting = rule(file, view, region, true);

	return setting ? policy_text_value(&file->text, setting)
		       : policy_file_rights_place(file, view, region);
}

static struct place place_of(const struct policy_file *file, const struct policy_error *error)
{
	bool rule_known =
		error->view < file->policy.view_count && error->region < file->policy.region_count;

	if (rule_known && (error->kind == POLICY_ERROR_REMAP_UNALIGNED ||
			   error->kind == POLICY_ERROR_REMAP_OUTSIDE))
		return policy_file_remap_place(file, error->view, error->region);
	if (rule_known)
		return policy_file_rights_place(file, error->view, error->region);
	if (error->region < file->policy.region_count)
		return policy_file_region_place(file, error->region);
	if (error->view < file->policy.view_count)
		return policy_file_default_place(file, error->view);
	if (error->kind == POLICY_ERROR_TOO_MANY_VIEWS)
		return policy_file_view_place(file, VIEW_MAX);
	return (struct place){1, 1};
}

static bool about_rights(enum policy_error_kind kind)
{
	return kind == POLICY_ERROR_WRITE_WITHOUT_READ || kind == POLICY_ERROR_EXECUTE_ONLY ||
	       kind == POLICY_ERROR_EXECUTE_WITHHELD;
}

static bool take_fault(void *data, const struct policy_error *error)
{
	struct checking *checking = data;
	const struct policy_file *file = checking->file;
	struct place place = place_of(file, error);
	const char *text = policy_error_text(error->kind), *key = policy_error_key(error->kind);
	char rights[RIGHTS_TEXT_SIZE];

	if (error->kind == POLICY_ERROR_OUT_OF_MEMORY) {
		checking->out_of_memory = true;
		return false;
	}
	/* A region without a rule of its own repeats what was said about the view's default. */
	if (about_rights(error->kind) && error->region < file->policy.region_count &&
	    !policy_file_has_rights(file, error->view, error->region))
		return true;
	rights_text(error->rights, rights);
	if (about_rights(error->kind))
		diagnose(checking->diagnostics, SEVERITY_ERROR, key, place,
			 "engine %s cannot give \"%s\": %s; --lenient grants what it cannot "
			 "withhold%s",
			 checking->subject->engine, rights, text,
			 error->kind == POLICY_ERROR_EXECUTE_WITHHELD
				 ? ", engines vmx and svm can withhold it"
				 : "");
	else if (error->kind == POLICY_ERROR_REGION_OVERLAP)
		diagnose(checking->diagnostics, SEVERITY_ERROR, key, place,
			 "region '%s' overlaps region '%s' of line %u from 0x%llx on",
			 file->policy.regions[error->region].name,
			 file->policy.regions[error->other_region].name,
			 policy_file_region_place(file, error->other_region).line,
			 (unsigned long long)error->gpa.v);
	else if (error->gpa.v != 0)
		diagnose(checking->diagnostics, SEVERITY_ERROR, key, place, "%s (0x%llx)", text,
			 (unsigned long long)error->gpa.v);
	else
		diagnose(checking->diagnostics, SEVERITY_ERROR, key, place, "%s", text);
	return true;
}

static void take_softening(void *data, const struct softening *change)
{
	const struct checking *checking = data;
	const struct policy_file *file = checking->file;
	char asked[RIGHTS_TEXT_SIZE], given[RIGHTS_TEXT_SIZE];
	bool whole = change->region == POLICY_NO_INDEX;

	if (!whole && !policy_file_has_rights(file, change->view, change->region))
		return;
	rights_text(change->asked, asked);
	rights_text(change->given, given);
	diagnose(checking->diagnostics, SEVERITY_WARNING, "rights-widened",
		 whole ? policy_file_default_place(file, change->view)
		       : policy_file_rights_place(file, change->view, change->region),
		 "engine %s cannot give \"%s\" to %s in view '%s'; it gives \"%s\"",
		 checking->subject->engine, asked,
		 whole ? "the rest of memory" : file->policy.regions[change->region].name,
		 file->policy.views[change->view].name, given);
}

/* From text to settings that know their places. */
static int parse(struct policy_file *file, struct diagnostics *diagnostics)
{
	int rc = policy_text_scan(&file->text, diagnostics);

	if (rc != 0)
		return rc;
	rc = policy_text_prepare(&file->text, diagnostics);
	if (rc != 0)
		return rc;
	file->config = malloc(sizeof(*file->config));
	if (!file->config)
		return -ENOMEM;
	config_init(file->config);
	if (config_read_string(file->config, file->text.readable) != CONFIG_TRUE) {
		int line = config_error_line(file->config);
		struct place place;

		place = policy_text_error(&file->text, line > 0 ? (unsigned)line : 1);
		diagnose(diagnostics, SEVERITY_ERROR, "syntax", place, "%s",
			 config_error_text(file->config));
		return -EINVAL;
	}
	return policy_text_place(&file->text, config_root_setting(file->config), diagnostics);
}

int policy_file_load(struct policy_file *file, const char *path,
		     const struct policy_subject *subject, struct diagnostics *diagnostics,
		     struct error *error)
{
	struct checking checking = {file, subject, diagnostics, false};
	int rc;

	*file = (struct policy_file){0};
	rc = policy_text_read(&file->text, path, error);
	if (rc != 0)
		return rc;
	rc = parse(file, diagnostics);
	if (rc == 0)
		rc = policy_read(file, subject, diagnostics);
	if (rc == 0 && subject->lenient)
		policy_soften(&file->policy, subject->target, take_softening, &checking);
	if (rc == 0)
		policy_check(&file->policy, subject->target, take_fault, &checking);
	if (checking.out_of_memory)
		rc = -ENOMEM;
	diagnostics_sort(diagnostics);
	if (rc == -ENOMEM)
		return error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", path);
	if (diagnostics->count[SEVERITY_ERROR] == 0)
		return 0;
	return error_set(error, -EINVAL, STATUS_USAGE, "%s: %zu error%s in this policy", path,
			 diagnostics->count[SEVERITY_ERROR],
			 diagnostics->count[SEVERITY_ERROR] == 1 ? "" : "s");
}

void policy_file_forget(struct policy_file *file)
{
	if (file->config)
		config_destroy(file->config);
	free(file->config);
	file->config = NULL;
	policy_text_finish(&file->text);
}

void policy_file_finish(struct policy_file *file)
{
	for (size_t i = 0; i < file->view_count; i++) {
		free(file->views[i].rules);
		free(file->views[i].gates);
		free(file->views[i].gate_settings);
	}
	free(file->views);
	free(file->regions);
	policy_finish(&file->policy);
	policy_file_forget(file);
	*file = (struct policy_file){0};
}
