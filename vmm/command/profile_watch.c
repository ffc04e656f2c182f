/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/profile_watch.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/stream.h"
#include "vmm/output/terminal.h"

/* A vCPU that does not come out of the guest for so long is left out of the interval. */
#define PATIENCE_MS 200
#define KICK_AGAIN_MS 10
/* Exits at L0 are recorded for OPEN_MS at a time, every 200 ms on average: a twentieth. What that costs is
 * in docs/profiling.md. */
#define OPEN_MS 10
#define CLOSED_MIN_MS 158
#define CLOSED_MASK_MS 63
/* Lines of the screen that are no rows of the table: headings, "and N more", the cursor's. */
#define LINES_AROUND 5

static const char *l0_source(const struct profile_watch *watch, bool counted)
{
	int mode = atomic_load(&watch->session->machine.tracing.mode);

	switch (counted || mode == TRACING_SAMPLE ? mode : TRACING_MODE_COUNT) {
	case TRACING_SAMPLE:
		return "every exit, by tracepoints";
	case TRACING_MODE_COUNT:
		return mode == TRACING_PART
			       ? "numbers: " NOT_OBSERVED
				 "; reasons and handling times by tracepoints, a twentieth of the time"
			       : NOT_OBSERVED ": this KVM has no KVM_GET_STATS_FD, and no tracepoint is counted";
	case TRACING_PART:
		return "counters of the kernel; reasons and handling times by tracepoints, a twentieth "
		       "of the time";
	default:
		return "counters of the kernel; reasons and handling times: not observed";
	}
}

static enum profile_l0 l0_known(const struct profile_watch *watch)
{
	if (atomic_load(&watch->session->machine.tracing.mode) == TRACING_SAMPLE)
		return PROFILE_L0_ALL;
	return watch->profile.backend == HOST_BACKEND_PVM ? PROFILE_L0_SINGLE : PROFILE_L0_PART;
}

static int write_view(const struct profile_view *view, const char *format, bool interactive, FILE *stream)
{
	size_t rows = terminal_rows(stream);
	int rc;

	if (strcmp(format, "json") == 0)
		return profile_json(view, stream);
	if (strcmp(format, "csv") == 0)
		return profile_csv(view, stream);
	if (!interactive)
		return profile_text(view, 0, stream);
	/* With Ctrl-C the terminal drops what it has not shown yet, the end of a table too. */
	if (view->summary)
		terminal_wrap(stream, true);
	terminal_clear(stream);
	if (view->summary)
		return profile_text(view, 0, stream);
	/* Rows are counted by lines of the screen. */
	terminal_wrap(stream, false);
	rc = profile_text(view, rows > LINES_AROUND ? rows - LINES_AROUND : 1, stream);
	terminal_wrap(stream, true);
	return rc;
}

int profile_show(struct profile_view *view, struct profile_counts *interval, const struct profile_counts *total,
		 enum profile_l0 how, const char *format, bool interactive, FILE *stream)
{
	struct profile_lines lines = {0}, all = {0};
	int rc = profile_lines_create(&lines, interval, how);

	if (rc == 0)
		rc = profile_lines_create(&all, total, how);
	view->lines = view->summary ? &all : &lines;
	view->total = &all;
	if (rc == 0)
		rc = write_view(view, format, interactive, stream);
	profile_lines_destroy(&lines);
	profile_lines_destroy(&all);
	profile_counts_clear(interval);
	return rc == 0 ? stream_flush(stream) : rc;
}

static struct cell name_of(const void *opaque, const struct profile_key *key)
{
	const struct profile_watch *watch = opaque;

	if (watch->settings->by != GROUP_VCPU)
		return cell_of_foreign(((const struct image_symbol *)(uintptr_t)key->value)->name);
	if (watch->session->plan.vms == 1)
		return cell_of_format("%" PRIu64, key->value);
	return cell_of_format("%" PRIu64 ":%" PRIu64, key->value >> 32, key->value & UINT32_MAX);
}

/* `report`: of the run that has ended, for the summary. */
static int write_lines(struct profile_watch *watch, const struct report *report)
{
	const struct machine *machine = &watch->session->machine;
	uint64_t now = machine_now(machine), since = report ? watch->start : watch->last;
	enum profile_l0 how = l0_known(watch);
	struct profile_view view = {
		.summary = report != NULL,
		.time = (double)(now - watch->start) / 1000,
		.seconds = (double)(now - since) / 1000,
		.by = watch->settings->by,
		.name = name_of,
		.opaque = watch,
		.image = &watch->session->plan.image,
		.engine = watch->session->plan.engine,
		.tsc_khz = machine->tsc_khz,
		.missing = machine->tracing.missing,
		.report = report,
	};

	profile_take(&watch->profile, &watch->interval);
	profile_counts_merge(&watch->total, &watch->interval);
	view.l0_source = l0_source(watch, how == PROFILE_L0_ALL || watch->total.l0_known);
	watch->last = now;
	return profile_show(&view, &watch->interval, &watch->total, how, watch->settings->format, watch->interactive,
			    watch->stream);
}

static bool handed_over(const struct profile_watch *watch)
{
	const struct machine *machine = &watch->session->machine;
	unsigned wanted = atomic_load(&watch->profile.wanted);

	for (unsigned i = 0; i < machine->thread_count; i++) {
		const struct vcpu_thread *thread = &machine->threads[i];

		if (vcpu_thread_running(thread) && !profile_has_obeyed(thread->vcpu, wanted))
			return false;
	}
	return true;
}

/* xorshift32: windows that come at fixed times might always see the same of a regular guest. */
static uint32_t random_number(struct profile_watch *watch)
{
	watch->random ^= watch->random << 13;
	watch->random ^= watch->random >> 17;
	watch->random ^= watch->random << 5;
	return watch->random;
}

static void pass_edge(struct profile_watch *watch, struct machine *machine, uint64_t now)
{
	bool recording = !atomic_load(&watch->profile.recording);
	int mode = atomic_load(&machine->tracing.mode);

	watch->edge = UINT64_MAX;
	if (machine->plan->trace != TRACING_PART || (mode != TRACING_PART && mode != TRACING_OFF))
		return;
	watch->edge = now + (recording ? OPEN_MS
				       : CLOSED_MIN_MS + (random_number(watch) & CLOSED_MASK_MS));
	/* Until the first vCPU has found out what is permitted there is nothing to switch. */
	if (mode == TRACING_OFF)
		return;
	atomic_store(&watch->profile.recording, recording);
	machine_kick(machine);
}

static uint64_t due(const struct machine *machine, void *opaque)
{
	const struct profile_watch *watch = opaque;
	uint64_t next = watch->collecting ? machine_now(machine) + KICK_AGAIN_MS : watch->due;

	return watch->edge < next ? watch->edge : next;
}

static void end_interval(struct profile_watch *watch, struct machine *machine, uint64_t now)
{
	uint64_t length = watch->settings->interval_ms;

	watch->collecting = false;
	/* Intervals start at whole multiples of their length, as far as we keep up. */
	watch->due += length;
	if (watch->due <= now)
		watch->due = now + length;
	if (watch->failure == 0)
		watch->failure = write_lines(watch, NULL);
	if (watch->failure != 0)
		machine_quit(machine);
}

static void look(struct machine *machine, void *opaque)
{
	struct profile_watch *watch = opaque;
	uint64_t now = machine_now(machine);

	if (terminal_quit())
		machine_quit(machine);
	if (now >= watch->edge)
		pass_edge(watch, machine, now);
	if (!watch->collecting && now >= watch->due) {
		watch->collecting = true;
		watch->patience = now + PATIENCE_MS;
		atomic_fetch_add(&watch->profile.wanted, 1);
	}
	if (!watch->collecting)
		return;
	/* More than once: a kick may find its vCPU where nobody looks whether there was one. */
	if (now < watch->patience && !handed_over(watch))
		machine_kick(machine);
	else
		end_interval(watch, machine, now);
}

static int attach_all(struct profile_watch *watch)
{
	struct machine *machine = &watch->session->machine;
	int rc = 0;

	for (unsigned i = 0; i < machine->vms_created; i++)
		for (unsigned j = 0; rc == 0 && j < machine->vms[i].vcpus_created; j++)
			rc = profile_attach(&watch->profile, &machine->vms[i].vcpus[j]);
	return rc;
}

int profile_watch_begin(struct profile_watch *watch, struct session *session,
			const struct settings *settings, FILE *stream)
{
	uint64_t now = machine_now(&session->machine);
	int rc;

	*watch = (struct profile_watch){
		.session = session,
		.settings = settings,
		.stream = stream,
		.start = now,
		.last = now,
		.due = now + settings->interval_ms,
		.edge = now + OPEN_MS,
		.random = 2463534242,
	};
	rc = profile_create(&watch->profile, session->host.backend, settings->by, session->machine.done_fd);
	if (rc == 0)
		rc = profile_counts_create(&watch->interval, settings->by);
	if (rc == 0)
		rc = profile_counts_create(&watch->total, settings->by);
	if (rc == 0)
		rc = attach_all(watch);
	if (rc != 0)
		return rc;
	if (strcmp(settings->format, "csv") == 0)
		profile_csv_header(&(struct profile_view){.by = settings->by}, stream);
	watch->interactive = strcmp(settings->format, "text") == 0 && stream_is_screen(stream_fd(stream));
	watch->hook = (struct machine_watch){
		.fd = watch->interactive ? terminal_enter(false) : -1,
		.due = due,
		.look = look,
		.signals = terminal_signals,
		.suspend = terminal_suspend,
		.opaque = watch,
	};
	session->machine.watch = &watch->hook;
	return 0;
}

int profile_watch_summary(struct profile_watch *watch)
{
	struct report report;
	int rc = watch->failure;

	if (rc == 0)
		rc = session_report(watch->session, "sidestep.profile", false, &report);
	if (rc != 0)
		return rc;
	rc = write_lines(watch, &report);
	report_finish(&report);
	return rc;
}

void profile_watch_finish(struct profile_watch *watch)
{
	struct machine *machine = &watch->session->machine;

	terminal_leave();
	for (unsigned i = 0; i < machine->vms_created; i++)
		for (unsigned j = 0; j < machine->vms[i].vcpus_created; j++)
			profile_detach(&machine->vms[i].vcpus[j]);
	machine->watch = NULL;
	profile_counts_destroy(&watch->interval);
	profile_counts_destroy(&watch->total);
	profile_destroy(&watch->profile);
}
