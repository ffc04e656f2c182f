/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep report: what a ledger says. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/diff_make.h"
#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/report/ledger_formats.h"
#include "vmm/report/ledger_join.h"

/* The name has been checked against the same list in words. */
static const struct ledger_format *format_of(const struct settings *settings)
{
	return ledger_format_by_name(settings->format);
}

/* `data`: a pointer to the contents, as a ledger is read once more for some formats. */
static int write_ledger(const void *data, const struct settings *settings, FILE *stream)
{
	return ledger_format_write(format_of(settings), *(struct ledger_index *const *)data, settings->by,
				   settings->weight, stream);
}

static int tell(int status, const char *path, const char *text)
{
	struct error line = {0};

	error_set(&line, -EINVAL, status, "%s: %s", path, text);
	return error_report(&line);
}

/* What a reader should know about the file itself. Returns the exit status it gives. */
static int warn(const struct ledger_index *contents, const char *path)
{
	char text[300];

	if (ledger_index_complaint(contents, text, sizeof(text)))
		return tell(STATUS_FAILED, path, text);
	if (contents->report.lost) {
		snprintf(text, sizeof(text), "%" PRIu64 " records found no room; what was before is shown",
			 contents->report.lost);
		tell(STATUS_SUCCESS, path, text);
	}
	if (!contents->ended)
		tell(STATUS_SUCCESS, path, "the run was cut off; its last records are shown");
	return STATUS_SUCCESS;
}

/* The exit status that a report stands for whose operations were held against the model, or whose run had no process. */
static int status_of(const struct report *report)
{
	if (report->judged && (report->failed || report->end[0]))
		return STATUS_FAILED;
	/* What a guest writes is a byte; nothing else that a log claims is success. */
	if (report->status != STATUS_SUCCESS)
		return report->status & ~UINT8_MAX ? STATUS_FAILED : report->status;
	return report->judged && report->passed == 0 ? STATUS_SKIPPED : STATUS_SUCCESS;
}

/* Formats that tell of tests. */
static bool is_of_tests(const struct settings *settings)
{
	return strcmp(settings->format, "tap") == 0 || strcmp(settings->format, "junit") == 0;
}

/* What a format has no word for. */
static void warn_left_out(struct ledger_index *contents, const struct settings *settings)
{
	uint64_t count = settings->weight == WEIGHT_TICKS ? folded_left_out(contents) : 0;

	if (count)
		fprintf(stderr,
			"sidestep: %llu exits are left out: how long their handling took was not observed\n",
			(unsigned long long)count);
}

/* Sums, and the view after the last run, may hide what one run alone does not agree in. */
static int tell_alone(const struct report *report, const char *path)
{
	if (!report->judged || (!report->failed && !report->end[0]))
		return STATUS_SUCCESS;
	return tell(STATUS_FAILED, path, "does not agree with the model");
}

/* Opens one, or several as one. Returns what the files themselves come to, as an exit status. */
static int open_ledgers(struct ledger_index *contents, const struct settings *settings, struct error *error)
{
	struct ledger_join *join;
	int status = STATUS_SUCCESS, rc = 0;

	if (settings->operand_count == 1)
		return ledger_index_open(contents, settings->operands[0], error) != 0 ? error->status
										     : warn(contents, settings->operands[0]);
	join = calloc(1, sizeof(*join));
	if (!join)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	for (int i = 0; rc == 0 && i < settings->operand_count; i++) {
		rc = ledger_join_add(join, settings->operands[i], error);
		if (rc == 0 && warn(ledger_join_last(join), settings->operands[i]) != STATUS_SUCCESS)
			status = STATUS_FAILED;
		if (rc == 0 && tell_alone(&ledger_join_last(join)->report, settings->operands[i]) != STATUS_SUCCESS)
			status = STATUS_FAILED;
	}
	if (rc == 0)
		rc = ledger_join_finish(join, contents, error);
	ledger_join_close(join);
	free(join);
	return rc == 0 ? status : error->status;
}

static int report_all(struct ledger_index *contents, const struct settings *settings, struct error *error)
{
	int status = open_ledgers(contents, settings, error);

	if (error->text[0])
		return status;
	if (is_of_tests(settings) && !contents->report.judged)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: nothing was expected of its operations, so --format %s has nothing to tell; "
				 "text, json and csv have",
				 settings->operands[0], settings->format);
	if (output_emit(write_ledger, &contents, settings, error) == 0)
		warn_left_out(contents, settings);
	return status != STATUS_SUCCESS ? status : status_of(&contents->report);
}

static int write_diff(const void *data, const struct settings *settings, FILE *stream)
{
	return format_of(settings)->diff(data, stream);
}

/* A name with a mistake in it would be a limit of nothing. */
static void warn_unused(const struct diff *diff, const char *option, const struct diff_limits *limits)
{
	for (unsigned i = 0; i < limits->count; i++) {
		const struct diff_limit *limit = &limits->rows[i];
		char text[DIFF_ROW_NAME_SIZE + 32];

		snprintf(text, sizeof(text), "'%.*s' matches no row", limit->length, limit->pattern);
		if (!diff_limit_is_for_any(limit, diff))
			tell(STATUS_SUCCESS, option, text);
	}
}

static int report_two(struct ledger_index contents[2], const struct settings *settings,
		      struct error *error)
{
	struct diff diff = {
		.by = settings->by,
		.exits_limits = &settings->exits_limits,
		.ticks_limits = &settings->ticks_limits,
		.exits_only = settings->exits_only,
	};
	int status = STATUS_SUCCESS;
	bool damaged;

	for (int i = 0; i < 2; i++) {
		if (ledger_index_open(&contents[i], settings->operands[i], error) != 0)
			return error->status;
		if (warn(&contents[i], settings->operands[i]) != STATUS_SUCCESS)
			status = STATUS_FAILED;
		diff.contents[i] = &contents[i];
		diff.ledgers[i] = settings->operands[i];
	}
	damaged = status != STATUS_SUCCESS;
	if (diff_make(&diff) != 0)
		error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	else
		output_emit(write_diff, &diff, settings, error);
	if (diff_changed(&diff))
		status = STATUS_FAILED;
	if (diff.nothing[0] && !error->text[0]) {
		/* That a ledger is damaged is worse than that there was nothing to compare. */
		error_set(error, -ENODATA, damaged ? STATUS_FAILED : STATUS_SKIPPED,
			  "nothing was compared: %s", diff.nothing);
		status = error->status;
	}
	if (!error->text[0]) {
		warn_unused(&diff, "--threshold", &settings->ticks_limits);
		warn_unused(&diff, "--threshold-exits", &settings->exits_limits);
	}
	diff_finish(&diff);
	return status;
}

/* Options that would have no effect are refused. */
static int check_options(const struct settings *settings, struct error *error)
{
	const struct ledger_format *format;
	bool by = settings->by != GROUP_OPERATION;

	if (cli_check_format(settings, FORMATS_REPORT, error) != 0)
		return -EINVAL;
	format = format_of(settings);
	if (settings->diff ? settings->operand_count != 2 : settings->operand_count < 1)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "report takes %s; make it with `sidestep run --ledger FILE`",
				 settings->diff ? "two LEDGERs with --diff" : "one LEDGER or more");
	if (settings->operand_count > 1 && format->whole == report_trace)
		return error_set(error, -EINVAL, STATUS_USAGE, "--format trace is of one LEDGER: runs have no clock in common");
	if (settings->diff && (settings->by == GROUP_VIOLATION || !format->diff))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--diff compares operations, or exits by reason, rip, symbol, level, vcpu, "
				 "instruction, vm or service, as text, json, csv, tap or junit");
	if (by && !format->groups && !settings->diff)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--by %s: --format %s has no such table; text, json and csv have",
				 group_key_names[settings->by], format->name);
	if (settings->weight != WEIGHT_EXITS && format->whole != report_folded)
		return error_set(error, -EINVAL, STATUS_USAGE, "--weight goes with --format folded");
	if (!settings->diff && (settings->exits_only || settings->limits_given))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--threshold, --threshold-exits and --exits-only go with --diff");
	return 0;
}

int command_report(const struct settings *settings)
{
	struct ledger_index *contents = calloc(2, sizeof(*contents));
	struct error error = {0};
	int status = STATUS_SUCCESS;

	if (!contents)
		error_set(&error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	else if (check_options(settings, &error) == 0)
		status = settings->diff ? report_two(contents, settings, &error)
					: report_all(contents, settings, &error);
	for (int i = 0; contents && i < 2; i++)
		ledger_index_close(&contents[i]);
	free(contents);
	return error.text[0] ? error_report(&error) : status;
}
