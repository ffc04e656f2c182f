/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep views: check a policy file and show its views. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guestfw/relay/relay.h"
#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/guest/boot.h"
#include "vmm/guest/image_file.h"
#include "vmm/policy/policy_load.h"
#include "vmm/policy/policy_warn.h"
#include "vmm/report/views_report.h"

static int check_operands(const struct settings *settings, struct error *error)
{
	if (settings->operand_count >= 1 && settings->operand_count <= 2)
		return 0;
	return error_set(error, -EINVAL, STATUS_USAGE,
			 "views takes a policy FILE and, at most, one GUEST that it is for");
}

/* Tables as an engine would build them, in as much memory as it has for them. */
static int build_tables(struct views_report *report, struct error *error)
{
	void *host = mmap(NULL, RELAY_TABLES_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct table_arena arena = {
		.base = gpa_at(RELAY_TABLES),
		.host = host,
		.size = RELAY_TABLES_SIZE,
	};
	struct policy_error why;
	int rc;

	report->tables = calloc(1, sizeof(*report->tables));
	if (host == MAP_FAILED || !report->tables)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = ept_build(&report->file.policy, &report->target.view, &arena, report->tables, &why);
	munmap(host, RELAY_TABLES_SIZE);
	if (rc == 0)
		return 0;
	if (why.kind == POLICY_ERROR_OUT_OF_MEMORY)
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	diagnose(&report->diagnostics, SEVERITY_ERROR, policy_error_key(why.kind),
		 why.view < report->file.policy.view_count
			 ? policy_file_view_place(&report->file, why.view)
			 : (struct place){1, 1},
		 "the tables do not fit into the %u MiB that an engine has for them",
		 RELAY_TABLES_SIZE >> 20);
	return error_set(error, rc, STATUS_USAGE, "%s: 1 error in this policy", report->path);
}

static int examine(struct views_report *report, bool lenient, struct error *error)
{
	const struct policy_subject subject = {
		.image = &report->image,
		.target = &report->target.view,
		.engine = engine_keys[report->engine->id],
		.lenient = lenient,
	};
	int rc = policy_load(&report->file, report->path, &subject, &report->diagnostics,
			     error);

	if (rc == 0 && report->target.view.format->encode_leaf)
		rc = build_tables(report, error);
	if (rc != 0)
		return rc;
	rc = policy_warn(&report->file, &subject, &report->diagnostics);
	if (rc == 0)
		rc = policy_survey(&report->survey, &report->file.policy,
				   &report->target.view.memory);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	policy_file_forget(&report->file);
	report->sound = true;
	return 0;
}

/* The guest and what it runs on; a host without KVM is as good as any to check a file. An image has #VE, which no KVM
 * gives a nested guest. */
static int prepare(struct views_report *report, const struct settings *settings,
		   struct error *error)
{
	const char *key =
		strcmp(settings->plan.engine, "auto") == 0 ? "vmx" : settings->plan.engine;
	const char *guest = settings->operand_count > 1 ? settings->operands[1] : NULL;
	int rc = guest ? image_open(&report->image, guest, error) : image_builtin(&report->image, error);
	const enum platform platform = platform_of(report->image.format);
	struct engine_offer offer;
	struct host host;
	bool known;

	if (rc != 0)
		return rc;
	known = (settings->image ? host_bare(&host, error) : host_open(&host, NULL)) == 0;
	report->path = settings->operands[0];
	report->guest = guest ? guest : "built-in";
	report->memory = settings->plan.memory ? settings->plan.memory : platform_memory(platform);
	report->engine = engine_by_key(key);
	offer = engine_ask(report->engine, known ? &host : NULL);
	engine_target_init(&report->target, report->engine, &offer, platform, report->memory);
	if (known)
		host_close(&host);
	if (settings->image && report->engine->id == ENGINE_FLAT)
		return error_set(error, -EINVAL, STATUS_USAGE, "--image: an image has a monitor: --engine vmx or svm");
	if (settings->image)
		snprintf(report->target.basis, sizeof(report->target.basis), "what an image asks of its processor");
	rc = plan_check_memory(report->memory, error);
	return rc == 0 && platform == PLATFORM_SIDESTEP ? image_check_fit(&report->image, report->memory, error) : rc;
}

static int write_views(const void *data, const struct settings *settings, FILE *stream)
{
	return strcmp(settings->format, "json") == 0 ? views_json(data, stream) : views_text(data, stream);
}

static void finish(struct views_report *report)
{
	policy_survey_finish(&report->survey);
	free(report->tables);
	policy_file_finish(&report->file);
	image_close(&report->image);
	free(report);
}

int command_views(const struct settings *settings)
{
	struct views_report *report = calloc(1, sizeof(*report));
	struct error error = {0}, trouble = {0};
	int status = STATUS_SUCCESS;

	if (!report)
		error_set(&error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	else if (check_operands(settings, &error) == 0 &&
		 cli_check_format(settings, FORMATS_PLAIN, &error) == 0 &&
		 prepare(report, settings, &error) == 0) {
		examine(report, settings->plan.lenient, &error);
		/* A file that is wrong has no text to be printed. */
		if (report->sound || (report->diagnostics.count[SEVERITY_ERROR] > 0 &&
				      strcmp(settings->format, "text") != 0))
			output_emit(write_views, report, settings, &trouble);
		diagnostics_print(&report->diagnostics, report->path, stderr);
		status = report->diagnostics.count[SEVERITY_WARNING] ? STATUS_FAILED
								     : STATUS_SUCCESS;
	}
	if (error.text[0])
		status = error_report(&error);
	if (trouble.text[0])
		status = error_report(&trouble);
	if (report)
		finish(report);
	return status;
}
