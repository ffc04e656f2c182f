/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/verdict.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/table.h"

/* The jail as it was asked for, or the reason why not. */
static int check_jail(const struct session *session, enum jail_mode mode, struct error *error)
{
	if (mode == JAIL_LOG || mode == JAIL_OFF)
		fprintf(stderr,
			mode == JAIL_OFF ? "sidestep: --seccomp off: no system call is refused while the "
					   "guest runs\n"
					 : "sidestep: --seccomp log: system calls that are not listed are "
					   "logged, not refused, while the guest runs\n");
	if (session->host.jail.seccomp[0] && (mode == JAIL_ON || mode == JAIL_LOG))
		return error_set(error, -ENOSYS, STATUS_INTERNAL,
				 "%s; --seccomp off runs a guest without them",
				 session->host.jail.seccomp);
	return 0;
}

int session_start(struct session *session, const struct settings *settings, int console_fd,
		  struct error *error)
{
	int rc;

	*session = (struct session){0};
	if (settings->plan.jail != JAIL_NONE && startup_note(&session->inherited) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	/* Who calls without a format writes nothing. */
	rc = settings->quiet || !settings->format ? 0 : table_prepare(settings->format, error);
	if (rc != 0)
		return rc;
	/* First of all: no other process may come into being later. */
	rc = output_open(&session->output, settings->output, settings->plan.jail, error);
	if (rc != 0)
		return rc;
	rc = host_open(&session->host, error);
	session->host_open = rc == 0;
	if (rc == 0)
		rc = check_jail(session, settings->plan.jail, error);
	if (rc == 0)
		rc = plan_make(&session->plan, &settings->plan, &session->host, error);
	session->planned = rc == 0;
	if (rc != 0)
		return rc;
	session->created = true;
	rc = machine_create(&session->machine, &session->plan, &session->host, console_fd,
			    &session->output, error);
	session->machine.seal.inherited = session->inherited;
	session->inherited = (struct startup){0};
	return rc;
}

/* Whether or not there is a report. */
static void tell_losses(const struct machine *machine)
{
	const struct ledger *ledger = &machine->ledger;
	struct error warning = {0};

	if (ledger->lost == 0)
		return;
	error_set(&warning, ledger->error, STATUS_SUCCESS, "%s: %s; %" PRIu64 " records found no room in the ledger",
		  machine->plan->ledger, strerror(-ledger->error), ledger->lost);
	error_report(&warning);
}

/* What the guest could not name is in no row. */
static void tell_refused(const struct image *image)
{
	const char *what;
	const uint64_t count = image->marks ? marks_refused(image->marks, &what) : 0;

	if (count)
		fprintf(stderr,
			"sidestep: marks that the guest could not set: %" PRIu64 ", the first for %s; what it did then has no name\n",
			count, what);
}

int session_run(struct session *session, bool progress, struct error *error)
{
	int rc;

	host_release(&session->host);
	rc = machine_run(&session->machine, progress, error);
	tell_losses(&session->machine);
	tell_refused(&session->plan.image);
	return rc;
}

void session_finish(struct session *session)
{
	if (session->created)
		machine_destroy(&session->machine);
	if (session->planned)
		plan_finish(&session->plan);
	if (session->host_open)
		host_close(&session->host);
	output_discard(&session->output);
	startup_finish(&session->inherited);
	*session = (struct session){0};
}

int session_end(struct session *session, const struct error *error, int status)
{
	if (error->text[0])
		error_report(error);
	session_finish(session);
	return status;
}

struct expect_environment session_environment(const struct session *session)
{
	return vm_environment(&session->machine.vms[0]);
}

static void judge_row(const struct session *session, const struct ss_operation *op,
		      struct report_row *row)
{
	const struct expect_environment environment = session_environment(session);
	unsigned vms = row->vm == REPORT_ALL_VMS ? session->plan.vms : 1;

	verdict_judge(row, op, &environment, (uint64_t)session->plan.vcpus * vms);
}

static void add_skipped(const struct session *session, const struct report_row *like,
			struct report *report)
{
	struct report_row *row = &report->rows[report->row_count++];

	*row = *like;
	row->vm = REPORT_ALL_VMS;
	row->verdict = VERDICT_SKIP;
	snprintf(row->note, sizeof(row->note), "%s", session->plan.skipped[like->number - 1]);
	report->skipped++;
}

static void add_operation(const struct session *session, bool judge, uint32_t number,
			  struct report *report)
{
	const struct ss_operation *op = &session->plan.image.operations[number - 1];
	const struct report_row like = {
		.name = op->name, .number = number, .compared = op->compared};
	size_t first = report->row_count;

	if (session->plan.skipped[number - 1]) {
		add_skipped(session, &like, report);
		return;
	}
	report_add_rows(report, &like);
	for (size_t i = first; judge && i < report->row_count; i++) {
		judge_row(session, op, &report->rows[i]);
		if (report->rows[i].verdict == VERDICT_PASS)
			report->passed++;
		else
			report->failed++;
	}
}

/* Those that the guest has named: nothing is expected of them. */
static void add_marked(const struct session *session, struct report *report)
{
	const struct image *image = &session->plan.image;

	for (uint32_t n = 1; image->marks && n <= image_operations(image); n++)
		report_add_rows(report, &(struct report_row){.name = image_operation_name(image, n), .number = n});
}

static uint32_t find_loop(const struct session *session)
{
	for (uint32_t n = 1; n <= session->plan.image.operation_count; n++)
		if (session->plan.image.operations[n - 1].kind == SS_KIND_NOTHING)
			return n;
	return 0;
}

int session_report(const struct session *session, const char *schema, bool judge,
		   struct report *report)
{
	const struct plan *plan = &session->plan;
	const struct stop *why = &session->machine.why;

	*report = (struct report){
		.schema = schema,
		.engine = plan->engine->id,
		.backend = session->host.backend,
		.kernel = session->host.kernel,
		.guest = plan->guest ? plan->guest : "built-in",
		.sidestep = SIDESTEP_VERSION,
		.command = plan->command,
		.date = plan->date,
		.vcpus = plan->vcpus,
		.vms = plan->vms,
		.seccomp = jail_mode_keys[plan->jail],
		.landlock = session->host.landlock,
		.instrumented = jail_instrumented,
		.summary = session->machine.summary,
		.loop_number = find_loop(session),
		.vm_summaries = session->machine.vm_summaries,
		.vm_count = session->machine.vm_summaries ? plan->vms : 0,
		.judged = judge,
		.rows_for_all = true,
		.trace_mode = session->machine.tracing.mode,
		.trace_missing = session->machine.tracing.missing,
		.samples_lost = session->machine.tracing.lost,
		.vcpus_blind = session->machine.tracing.blind,
		.counters_missing = plan_counters_missing(plan, &session->host),
		.status = why->status,
	};
	if (why->cause != STOP_EXIT && why->cause != STOP_OFF)
		snprintf(report->end, sizeof(report->end), "%s", why->text);
	if (session->machine.ledger_kept) {
		report->ledger = plan->ledger;
		report->lost = session->machine.ledger.lost;
	}
	if (report->loop_number)
		report->loop = &report->summary->operations[report->loop_number];
	for (unsigned i = 0; i < plan->vms; i++)
		report->plans[i] = session->machine.plan_texts[i];
	report->rows = calloc((image_operations(&plan->image) + 1ull) * report_rows_most(report),
			      sizeof(*report->rows));
	report->view_names = calloc(plan->policy.view_count + 1, sizeof(*report->view_names));
	if (!report->rows || !report->view_names) {
		report_finish(report);
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan->policy.view_count; i++)
		report->view_names[i] = plan->policy.views[i].name;
	report->view_count = plan->policy.view_count;
	for (uint32_t n = 1; n <= plan->image.operation_count; n++)
		if (plan_bit(plan->selected, n) || plan->skipped[n - 1])
			add_operation(session, judge, n, report);
	add_marked(session, report);
	report_compare(report);
	return 0;
}

int output_fill(emit_writer *write, const void *data, const struct settings *settings,
		struct output *output, struct error *error)
{
	int rc = write(data, settings, output->stream);

	if (rc != 0) {
		output_discard(output);
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	}
	return output_commit(output, error);
}

int output_emit(emit_writer *write, const void *data, const struct settings *settings, struct error *error)
{
	struct output output;
	int rc = output_open(&output, settings->output, JAIL_NONE, error);

	return rc == 0 ? output_fill(write, data, settings, &output, error) : rc;
}

static int write_report(const void *data, const struct settings *settings, FILE *stream)
{
	static const struct {
		const char *name;
		report_writer *write;
	} writers[] = {
		{"text", report_text}, {"json", report_json},   {"csv", report_csv},
		{"tap", report_tap},   {"junit", report_junit},
	};

	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
		if (strcmp(writers[i].name, settings->format) == 0)
			return writers[i].write(data, stream);
	return -EINVAL;
}

/* The exit status that a report stands for. */
static int status_of(const struct report *report)
{
	if (report->end[0] || report->status != STATUS_SUCCESS)
		return report->status;
	if (report->failed)
		return STATUS_FAILED;
	return report->judged && report->passed == 0 ? STATUS_SKIPPED : STATUS_SUCCESS;
}

int session_emit(struct session *session, const struct settings *settings, const char *schema,
		 bool judge, uint32_t hidden, struct error *error)
{
	struct report report;
	int status;

	if (session_report(session, schema, judge, &report) != 0) {
		error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
		return error->status;
	}
	report.hidden = hidden;
	report.status = status_of(&report);
	status = report.status;
	if (output_fill(write_report, &report, settings, &session->output, error) != 0)
		status = error->status;
	else if (report.end[0])
		error_set(error, -EIO, status, "%s", report.end);
	report_finish(&report);
	return status;
}
