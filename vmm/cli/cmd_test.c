/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep test: perform the catalogue and compare with the reference model. */
#include <errno.h>
#include <fnmatch.h>
#include <libsmartcols.h>
#include <string.h>
#include <unistd.h>

#include "vmm/cli/command.h"
#include "vmm/guest/image_file.h"
#include "vmm/table/json.h"
#include "vmm/table/table.h"

#define LIST_VERSION 1

static int list_row(struct libscols_table *table, const struct ss_operation *op)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line || scols_line_set_data(line, 0, op->name) != 0 ||
	    scols_line_set_data(line, 1, op->needs[0] ? op->needs : "-") != 0 ||
	    scols_line_set_data(line, 2, op->meaning) != 0)
		return -ENOMEM;
	return 0;
}

static int check_patterns(const struct image *image, const struct settings *settings,
			  struct error *error)
{
	for (size_t i = 0; i < settings->plan.pattern_count; i++) {
		bool found = false;

		for (size_t j = 0; j < image->operation_count && !found; j++)
			found = fnmatch(settings->plan.patterns[i], image->operations[j].name, 0) == 0;
		if (!found)
			return error_set(error, -ENOENT, STATUS_USAGE,
					 "no operation matches '%s'; `sidestep test --list` names them",
					 settings->plan.patterns[i]);
	}
	return 0;
}

static bool wanted(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->plan.pattern_count; i++)
		if (fnmatch(settings->plan.patterns[i], name, 0) == 0)
			return true;
	return settings->plan.pattern_count == 0;
}

static int list_text(const struct image *image, const struct settings *settings, FILE *stream)
{
	struct libscols_table *table = table_start(stream, false);
	int rc = table && scols_table_new_column(table, "OPERATION", 0, 0) &&
				 scols_table_new_column(table, "NEEDS", 0, 0) &&
				 scols_table_new_column(table, "MEANING", 0, 0)
			 ? 0
			 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < image->operation_count; i++)
		if (wanted(settings, image->operations[i].name))
			rc = list_row(table, &image->operations[i]);
	return table_finish(table, rc);
}

static int list_json(const struct image *image, const struct settings *settings, FILE *stream)
{
	json_t *root = json_begin("sidestep.list", LIST_VERSION), *rows = json_array();

	for (size_t i = 0; i < image->operation_count; i++) {
		const struct ss_operation *op = &image->operations[i];

		if (wanted(settings, op->name))
			json_array_append_new(rows, json_pack("{s:s,s:s,s:s}", "operation", op->name,
							      "needs", op->needs, "meaning",
							      op->meaning));
	}
	json_object_set_new(root, "operations", rows);
	return json_finish(root, stream);
}

/* The catalogue is read from the image: no KVM is needed for this. */
static int list(const struct settings *settings, struct error *error)
{
	struct image image;
	struct output output;
	int rc = image_builtin(&image, error);

	if (rc != 0)
		return rc;
	rc = check_patterns(&image, settings, error);
	if (rc == 0)
		rc = output_open(&output, settings->output, JAIL_NONE, error);
	if (rc == 0) {
		rc = strcmp(settings->format, "json") == 0
			     ? list_json(&image, settings, output.stream)
			     : list_text(&image, settings, output.stream);
		if (rc == 0) {
			rc = output_commit(&output, error);
		} else {
			output_discard(&output);
			error_set(error, rc, STATUS_INTERNAL, "out of memory");
		}
	}
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
		status = !session.output.stream ||
					 (session.host_open && error.status != STATUS_SKIPPED)
				 ? error.status
				 : skip_all(&session, &settings, &error);
	else if (session_run(&session, isatty(STDERR_FILENO), &error) != 0)
		status = error.status;
	else
		status = session_emit(&session, &settings, "sidestep.test", true, HIDE_IN_TEST, &error);
	if (error.text[0])
		error_report(&error);
	session_finish(&session);
	return status;
}
