/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/policy/policy_load.h"

#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>

#include "views/policy_soften.h"
#include "vmm/policy/policy_groups.h"
#include "vmm/policy/policy_regions.h"
#include "vmm/policy/policy_views.h"

struct checking {
	const struct policy_file *file;
	const struct policy_subject *subject;
	struct diagnostics *diagnostics;
	bool out_of_memory;
};

static struct place place_of(const struct policy_file *file, const struct policy_error *error)
{
	bool rule_known =
		error->view < file->policy.view_count && error->region < file->policy.region_count;

	if (rule_known && (error->kind == POLICY_ERROR_REMAP_UNALIGNED ||
			   error->kind == POLICY_ERROR_REMAP_OUTSIDE))
		return policy_file_remap_place(file, error->view, error->region);
	if (rule_known)
		return policy_file_rights_place(file, error->view, error->region);
	if (error->view < file->policy.view_count && error->kind == POLICY_ERROR_VE_UNKNOWN)
		return policy_file_ve_place(file, error->view);
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
	else if (error->kind == POLICY_ERROR_VE_UNKNOWN)
		diagnose(checking->diagnostics, SEVERITY_ERROR, key, place,
			 "engine %s cannot: violations as #VE need a processor with VMX and no KVM below, as an "
			 "image has (sidestep image --engine vmx); --lenient lets them exit",
			 checking->subject->engine);
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

static void say_widened(const struct checking *checking, const struct softening *change)
{
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

static void take_softening(void *data, const struct softening *change)
{
	const struct checking *checking = data;
	const struct policy_file *file = checking->file;

	if (change->ve)
		diagnose(checking->diagnostics, SEVERITY_WARNING, "ve-withheld",
			 policy_file_ve_place(file, change->view),
			 "engine %s has no #VE here; violations of view '%s' exit instead", checking->subject->engine,
			 file->policy.views[change->view].name);
	else
		say_widened(checking, change);
}

/* From text to settings that know their places. */
static int parse(struct policy_file *file, struct diagnostics *diagnostics)
{
	int rc = policy_text_scan(&file->text, diagnostics);

	if (rc != 0)
		return rc;
	rc = policy_groups_prepare(&file->text, diagnostics);
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

/* From settings to regions, views and the policy. */
static int read_settings(struct policy_file *file, const struct policy_subject *subject,
			 struct diagnostics *diagnostics)
{
	struct reader reader = {.file = file, .subject = subject, .diagnostics = diagnostics,
				.source = {.image = subject->image}};
	config_setting_t *root = config_root_setting(file->config);

	reader_check_keys(&reader, root, "regions views");
	policy_regions_read(&reader, reader_group(&reader, root, "regions"));
	if (!reader.out_of_memory)
		policy_views_read(&reader, reader_group(&reader, root, "views"));
	source_finish(&reader.source);
	free(reader.by_name);
	return reader.out_of_memory ? -ENOMEM : 0;
}

int policy_load(struct policy_file *file, const char *path, const struct policy_subject *subject,
		struct diagnostics *diagnostics, struct error *error)
{
	struct checking checking = {file, subject, diagnostics, false};
	int rc;

	*file = (struct policy_file){0};
	rc = policy_text_read(&file->text, path, error);
	if (rc != 0)
		return rc;
	rc = parse(file, diagnostics);
	if (rc == 0)
		rc = read_settings(file, subject, diagnostics);
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
