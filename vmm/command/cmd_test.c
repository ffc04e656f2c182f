/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep test: perform the catalogue and compare with the reference model. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/guest/image_file.h"
#include "vmm/guest/patterns.h"
#include "vmm/table/json.h"
#include "vmm/table/table.h"

#define LIST_VERSION 1

/* The operations that are wanted. */
struct listed {
	const struct ss_operation *operations[SS_MAX_OPERATIONS];
	size_t count;
};

static struct cell list_cell(const void *data, size_t row, size_t column)
{
	const struct ss_operation *op = ((const struct listed *)data)->operations[row];
	const char *const texts[] = {op->name, op->needs[0] ? op->needs : "-", op->needs, op->meaning};

	return cell_of_text(texts[column]);
}

static int write_list(const void *data, const struct settings *settings, FILE *stream)
{
	static const struct table_column columns[] = {
		TABLE_PLAIN("OPERATION", "operation", TABLE_LEFT),
		TABLE_PLAIN("NEEDS", "", TABLE_ONLY_TEXT),
		TABLE_PLAIN("", "needs", TABLE_ONLY_JSON),
		TABLE_PLAIN("MEANING", "meaning", TABLE_LEFT),
	};
	const struct table table = {columns, sizeof(columns) / sizeof(columns[0]),
				    ((const struct listed *)data)->count, list_cell, data, .fit = false};
	json_t *root;

	if (strcmp(settings->format, "json") != 0)
		return table_text(&table, stream);
	root = json_begin("sidestep.list", LIST_VERSION);
	json_object_set_new(root, "operations", table_json(&table));
	return json_finish(root, stream);
}

/* The catalogue is read from the image: no KVM is needed for this. */
static int list(const struct settings *settings, struct error *error)
{
	const struct plan_request *plan = &settings->plan;
	struct listed listed = {.count = 0};
	struct image image;
	int rc = image_builtin(&image, error);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < image.operation_count; i++)
		if (patterns_name(plan->patterns, plan->pattern_count, image.operations[i].name))
			listed.operations[listed.count++] = &image.operations[i];
	rc = patterns_check(plan->patterns, plan->pattern_count, image.operations, image.operation_count, error);
	if (rc == 0)
		rc = output_emit(write_list, &listed, settings, error);
	image_close(&image);
	return rc;
}

/* Without KVM, or an engine that cannot run here, everything is skipped, and TAP has a way to say so. */
static int skip_all(struct session *session, const struct settings *settings, struct error *error)
{
	struct error write_error = {0};

	if (strcmp(settings->format, "tap") == 0) {
		fprintf(session->output.stream, "TAP version 13\n1..0 # SKIP %s%s\n",
			strstr(error->text, "needs: ") ? "" : "needs: kvm; host: ", error->text);
		output_commit(&session->output, &write_error);
	}
	if (write_error.text[0]) {
		*error = write_error;
		return error->status;
	}
	return STATUS_SKIPPED;
}

int command_test(const struct settings *given)
{
	struct settings settings = *given;
	struct session session = {0};
	struct error error = {0};
	int status;

	if (!given->plan.trace_asked)
		settings.plan.trace = TRACING_COUNT;
	settings.plan.patterns = (const char *const *)given->operands;
	settings.plan.pattern_count = (size_t)given->operand_count;
	if (cli_check_format(&settings, FORMATS_TEST, &error) != 0)
		return error_report(&error);
	if (settings.list) {
		if (list(&settings, &error) != 0)
			return error_report(&error);
		return STATUS_SUCCESS;
	}
	if (settings.random || settings.replay)
		return command_random(&settings);
	if (session_start(&session, &settings, STDERR_FILENO, &error) != 0)
		status = error.status == STATUS_SKIPPED ? skip_all(&session, &settings, &error) : error.status;
	else if (session_run(&session, true, &error) != 0)
		status = error.status;
	else
		status = session_emit(&session, &settings, "sidestep.test", true, HIDE_IN_TEST, &error);
	return session_end(&session, &error, status);
}
