/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "vmm/analysis/observed.h"
#include "vmm/base/printable.h"
#include "vmm/report/report_exits.h"
#include "vmm/report/report_io.h"
#include "vmm/report/report_l0.h"
#include "vmm/report/report_violations.h"
#include "vmm/report/report_writers.h"

static const char *colour_of(const void *data, size_t row)
{
	return ((const struct report *)data)->rows[row].verdict == VERDICT_FAIL ? "red" : NULL;
}

/* Told below the table. */
static bool is_skipped(const void *data, size_t row)
{
	return ((const struct report *)data)->rows[row].verdict == VERDICT_SKIP;
}

static int print_table(const struct report *report, FILE *stream)
{
	struct table table = report_table(report);

	table.left_out = is_skipped;
	table.colour = colour_of;
	return table_text(&table, stream);
}

#define LINE_WIDTH 78

static bool first_with_note(const struct report *report, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (report->rows[i].verdict == VERDICT_SKIP &&
		    strcmp(report->rows[i].note, report->rows[row].note) == 0)
			return false;
	return true;
}

/* The names of all rows that were skipped for this row's reason, in lines. */
static void print_skipped(const struct report *report, size_t row, FILE *stream)
{
	size_t width = LINE_WIDTH;

	fprintf(stream, "skipped, %s:", report->rows[row].note);
	for (size_t i = row; i < report->row_count; i++) {
		const struct report_row *other = &report->rows[i];
		size_t length = strlen(other->name) + 1;

		if (other->verdict != VERDICT_SKIP || strcmp(other->note, report->rows[row].note) != 0)
			continue;
		if (width + length > LINE_WIDTH) {
			fputs("\n ", stream);
			width = 1;
		}
		fprintf(stream, " %s", other->name);
		width += length;
	}
	fputs("\n", stream);
}

static void print_notes(const struct report *report, FILE *stream)
{
	for (size_t i = 0; i < report->row_count; i++) {
		const struct report_row *row = &report->rows[i];

		if (row->verdict == VERDICT_SKIP && first_with_note(report, i))
			print_skipped(report, i, stream);
	}
	for (size_t i = 0; i < report->row_count; i++) {
		char name[ROW_NAME_SIZE];

		if (report->rows[i].verdict == VERDICT_FAIL)
			fprintf(stream, "FAIL %s: %s\n", report_row_name(&report->rows[i], name),
				report->rows[i].note);
	}
}

/* What was missing; nothing if the jail was complete. */
static void print_jail(const struct report *report, FILE *stream)
{
	if (!report->seccomp || !report->landlock ||
	    (strcmp(report->seccomp, "on") == 0 && strncmp(report->landlock, "abi ", 4) == 0))
		return;
	fputs("jail: seccomp ", stream);
	printable_put(stream, report->seccomp);
	fputs(", Landlock ", stream);
	printable_put(stream, report->landlock);
	fputs("\n", stream);
}

static void print_lost(const struct report *report, FILE *stream)
{
	if (report->lost)
		fprintf(stream, "lost: %" PRIu64 " records found no room in the ledger\n",
			report->lost);
}

void report_run(const struct report *report, FILE *stream)
{
	fputs("engine ", stream);
	printable_put(stream, report_engine(report));
	fputs(" on ", stream);
	if (report_has_no_l0(report)) {
		fputs("the computer itself", stream);
	} else if (report->backend == HOST_BACKEND_BARE) {
		fputs("a virtual computer of ", stream);
		printable_put(stream, report->below);
	} else {
		fprintf(stream, "%s (Linux ", host_backend_modules[report->backend]);
		printable_put(stream, report->kernel);
		fputs(")", stream);
	}
	fprintf(stream, ", %u VM x %u vCPU, guest: ", report->vms, report->vcpus);
	printable_put(stream, report->guest);
	fputs("\n", stream);
}

/* How the VMs were configured, where that differs. */
static void print_plans(const struct report *report, FILE *stream)
{
	for (size_t i = 0; i < REPORT_VMS_MAX && report_plans_differ(report); i++) {
		if (!report->plans[i])
			continue;
		fprintf(stream, "VM %zu: ", i);
		printable_put(stream, report->plans[i]);
		fputs("\n", stream);
	}
}

static bool any_marked(const struct report *report)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (report->rows[i].summary && report->rows[i].summary->marked)
			return true;
	return false;
}

static int print_operations(const struct report *report, FILE *stream)
{
	int rc;

	if (report->row_count == 0)
		return report_exits_text(report, stream);
	rc = print_table(report, stream);
	fputs(any_marked(report) ? "\nexits per repetition, ticks from one mark of the guest to the next\n"
				 : "\nexits per repetition, ticks per repetition with the loop\n",
	      stream);
	observed_print(report, observed_counts_text, stream);
	if (report->summary->samples_dropped)
		fputs("ticks: of the first samples only, the others found no room\n", stream);
	return rc;
}

int report_text(const struct report *report, FILE *stream)
{
	int rc;

	report_run(report, stream);
	print_plans(report, stream);
	fputs("\n", stream);
	rc = print_operations(report, stream);
	observed_print_missing(report->trace_missing, stream);
	report_l0_text(report, stream);
	print_jail(report, stream);
	if (rc == 0)
		rc = violations_text(report, stream);
	report_io_text(report, stream);
	print_notes(report, stream);
	print_lost(report, stream);
	if (report->judged)
		fprintf(stream, "%u passed, %u failed, %u skipped\n", report->passed, report->failed,
			report->skipped);
	return rc;
}
