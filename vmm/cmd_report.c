/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep report: what a ledger says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "groups.h"

/* How a format is written: by operation, and by anything else, if it can be. */
static const struct {
	const char *name;
	report_writer *operations;
	group_writer *groups;
} formats[] = {
	{"text", report_text, groups_text},
	{"json", report_json, groups_json},
	{"csv", report_csv, groups_csv},
};

/* What emit() hands through: counting groups reads the ledger once more. */
struct task {
	struct contents *contents;
};

static int write_groups(struct contents *contents, enum group_key by, group_writer *write,
			FILE *stream)
{
	struct group_list list;
	int rc = groups_count(contents, by, &list);

	if (rc == 0)
		rc = write(contents, by, &list, stream);
	groups_finish(&list);
	return rc;
}

static int write_ledger(const void *data, const struct settings *settings, FILE *stream)
{
	enum group_key by = group_key_by_name(settings->by);
	struct contents *contents = ((const struct task *)data)->contents;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, settings->format) != 0)
			continue;
		if (by == GROUP_OPERATION)
			return formats[i].operations(&contents->report, stream);
		return write_groups(contents, by, formats[i].groups, stream);
	}
	return -EINVAL;
}

/* What a reader should know about the file itself. Returns the exit status it gives. */
static int warn(const struct contents *contents, const char *path)
{
	char text[300];

	if (contents_complaint(contents, text, sizeof(text))) {
		fprintf(stderr, "sidestep: %s: %s\n", path, text);
		return STATUS_FAILED;
	}
	if (!contents->ended)
		fprintf(stderr, "sidestep: %s: the run was cut off; its last records are shown\n",
			path);
	return STATUS_SUCCESS;
}

static int report_one(const struct settings *settings, struct error *error)
{
	struct contents *contents = calloc(1, sizeof(*contents));
	int status = STATUS_SUCCESS;

	if (!contents) {
		error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
		return STATUS_INTERNAL;
	}
	if (contents_open(contents, settings->operands[0], error) == 0) {
		status = warn(contents, settings->operands[0]);
		output_emit(write_ledger, &(struct task){contents}, settings, error);
	}
	contents_close(contents);
	free(contents);
	return status;
}

int command_report(const struct settings *settings)
{
	struct error error = {0};
	int status = STATUS_SUCCESS;

	if (settings->operand_count != 1)
		error_set(&error, -EINVAL, STATUS_USAGE,
			  "report takes one LEDGER; make it with `sidestep run --ledger FILE`");
	else if (cli_check_format(settings, FORMATS_REPORT, &error) == 0)
		status = report_one(settings, &error);
	return error.text[0] ? error_report(&error) : status;
}
