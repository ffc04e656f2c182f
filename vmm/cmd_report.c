/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep report: what a ledger says. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "groups.h"

#define FORMATS "text json csv"

/* A ledger taken apart. Strings point into the reader's data. */
struct contents {
	struct ledger_reader reader;
	struct summary *summary;
	struct group_list groups;
	const char *views[VIEW_MAX];
	const char *names[SS_MAX_OPERATIONS + 1];
	uint32_t kinds[SS_MAX_OPERATIONS + 1];
	struct report report;
	bool ended;
};

static uint32_t key_index(const char *const *keys, uint32_t count, const char *key)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(keys[i], key) == 0)
			return i;
	return 0;
}

static void take_view(struct contents *contents, unsigned long view, const char *name)
{
	if (view >= VIEW_MAX)
		return;
	contents->views[view] = name;
	contents->report.view_names = contents->views;
	if (view >= contents->report.view_count)
		contents->report.view_count = view + 1;
}

static void take_meta(struct contents *contents, const struct record_meta *meta)
{
	size_t room = meta->record.size - sizeof(*meta);
	const char *key = meta->text, *value;
	size_t key_size = strnlen(key, room);

	if (key_size + 1 >= room || !memchr(key + key_size + 1, '\0', room - key_size - 1))
		return;
	value = key + key_size + 1;
	if (strncmp(key, "view.", 5) == 0)
		take_view(contents, strtoul(key + 5, NULL, 10), value);
	else if (strcmp(key, "engine") == 0)
		contents->report.engine = key_index(engine_keys, ENGINE_COUNT, value);
	else if (strcmp(key, "backend") == 0)
		contents->report.backend = key_index(host_backend_keys, HOST_BACKEND_COUNT, value);
	else if (strcmp(key, "tracepoints.missing") == 0)
		contents->report.trace_missing = value;
	else if (strcmp(key, "samples.lost") == 0)
		contents->report.samples_lost = strtoull(value, NULL, 10);
	else if (strcmp(key, "kernel") == 0)
		contents->report.kernel = value;
	else if (strcmp(key, "guest") == 0)
		contents->report.guest = value;
	else if (strcmp(key, "vcpus") == 0)
		contents->report.vcpus = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "vms") == 0)
		contents->report.vms = (unsigned)strtoul(value, NULL, 10);
}

static void take_operation(struct contents *contents, const struct record_operation *operation)
{
	if (operation->number == 0 || operation->number > SS_MAX_OPERATIONS ||
	    !memchr(operation->name, '\0', sizeof(operation->name)))
		return;
	contents->names[operation->number] = operation->name;
	contents->kinds[operation->number] = operation->kind;
}

static void take_end(struct contents *contents, const struct record_end *end)
{
	contents->ended = true;
	if (end->cause != STOP_EXIT && contents->report.end[0] == '\0')
		snprintf(contents->report.end, sizeof(contents->report.end), "%.*s",
			 (int)sizeof(end->text), end->text);
}

static int take_records(struct contents *contents, enum group_key by)
{
	const struct record *record;
	int rc = 0;

	while (rc == 0 && (record = ledger_next(&contents->reader)) != NULL) {
		summary_add(contents->summary, record);
		if (record->type == RECORD_META)
			take_meta(contents, (const void *)record);
		else if (record->type == RECORD_OPERATION)
			take_operation(contents, (const void *)record);
		else if (record->type == RECORD_END)
			take_end(contents, (const void *)record);
		else
			rc = groups_add(&contents->groups, by, record);
	}
	return rc;
}

/* A row for every operation that left a trace. */
static int make_rows(struct contents *contents)
{
	struct report *report = &contents->report;
	struct summary *summary = contents->summary;

	report->rows = calloc(summary->highest + 1ull, sizeof(*report->rows));
	if (!report->rows)
		return -ENOMEM;
	for (uint32_t n = 1; n <= summary->highest; n++)
		if (contents->kinds[n] == SS_KIND_NOTHING)
			report->loop = &summary->operations[n];
	for (uint32_t n = 1; n <= summary->highest; n++) {
		struct report_row *row = &report->rows[report->row_count];
		const struct operation_summary *operation = &summary->operations[n];

		if (operation->batches == 0 && operation->exits[LEVEL_VMM] == 0 &&
		    !operation->result_known)
			continue;
		report->row_count++;
		row->number = n;
		row->name = contents->names[n] ? contents->names[n] : "?";
		row->summary = operation;
		report_measure(report, row);
	}
	return 0;
}

static int read_ledger(struct contents *contents, const char *path, enum group_key by,
		       struct error *error)
{
	int rc = ledger_open(&contents->reader, path, error);

	if (rc != 0)
		return rc;
	contents->summary = summary_create();
	if (!contents->summary)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	contents->report = (struct report){
		.schema = "sidestep.ledger",
		.kernel = "?",
		.guest = "?",
		.summary = contents->summary,
		.lost = contents->reader.header.lost,
		.hidden = HIDE_IN_LEDGER,
	};
	rc = take_records(contents, by);
	if (rc == 0)
		rc = make_rows(contents);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", path);
	return 0;
}

/* What a reader should know about the file itself. Returns the exit status it gives. */
static int warn(const struct contents *contents, const char *path)
{
	if (contents->reader.truncated || contents->reader.damaged) {
		fprintf(stderr, "sidestep: %s: %s; what could be read is shown\n", path,
			contents->reader.truncated ? "truncated" : "damaged");
		return STATUS_FAILED;
	}
	if (!contents->ended)
		fprintf(stderr, "sidestep: %s: the run was cut off; its last records are shown\n",
			path);
	return STATUS_SUCCESS;
}

static int emit(struct contents *contents, const struct settings *settings, struct error *error)
{
	enum group_key by = group_key_by_name(settings->by);

	if (by == GROUP_OPERATION)
		return report_emit(&contents->report, settings, error);
	return groups_emit(&contents->groups, by, &contents->report, settings, error);
}

int command_report(const struct settings *settings)
{
	struct contents *contents = calloc(1, sizeof(*contents));
	struct error error = {0};
	int status = STATUS_SUCCESS;

	if (!contents)
		error_set(&error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	else if (settings->operand_count != 1)
		error_set(&error, -EINVAL, STATUS_USAGE,
			  "report takes one LEDGER; make it with `sidestep run --ledger FILE`");
	else if (cli_check_format(settings, FORMATS, &error) == 0 &&
		 read_ledger(contents, settings->operands[0], group_key_by_name(settings->by),
			     &error) == 0) {
		status = warn(contents, settings->operands[0]);
		emit(contents, settings, &error);
	}
	if (error.text[0])
		status = error_report(&error);
	if (contents) {
		contents->report.view_names = NULL; /* not the report's own here */
		report_finish(&contents->report);
		groups_finish(&contents->groups);
		summary_destroy(contents->summary);
		ledger_reader_close(&contents->reader);
		free(contents);
	}
	return status;
}
