/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/attachment.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/base/thread.h"

/* How often rings are emptied when none is half full, and how often threads that are new are looked for. */
#define DRAIN_MS 50
#define LOOK_MS 200
/* Of kernel.perf_event_paranoid, where the kernel is Debian's. */
#define PARANOID_ROOT_ONLY 3

static void note_exit(void *opaque, struct attached_thread *thread, const struct attached_exit *exit)
{
	struct attachment *attachment = opaque;
	const struct attach_request *request = &attachment->request;

	followed_number(&attachment->followed, thread);
	if (request->one_vcpu && thread->vcpu != request->vcpu) {
		thread->unwanted = thread->numbered || thread->assembler.vcpu_known;
		return;
	}
	attach_record(&attachment->sink, thread, exit);
}

int attachment_open(struct attachment *attachment, const struct attach_request *request, struct error *error)
{
	int rc;

	*attachment = (struct attachment){
		.request = *request,
		.followed = {.pids = request->pids,
			     .pid_count = request->pid_count,
			     .all = request->all,
			     .plan = {.mode = TRACING_SAMPLE,
				      .interpreted = request->backend == HOST_BACKEND_PVM,
				      .paranoid = trace_paranoid_level()},
			     .exit = note_exit,
			     .opaque = attachment},
		.sink = {.by = request->by, .symbol = request->symbol, .symbols = request->symbols},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.done_fd = eventfd(0, EFD_CLOEXEC),
	};
	sem_init(&attachment->sealed, 0, 0);
	if (attachment->done_fd < 0)
		return error_set(error, -errno, STATUS_INTERNAL, "eventfd: %s", strerror(errno));
	rc = profile_counts_create(&attachment->sink.counts, request->by);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	return followed_open(&attachment->followed, error);
}

/* What of this run is the same for all of its VMs. */
static void describe_run(const struct attach_request *request, struct ledger *ledger)
{
	ledger_append_meta(ledger, "engine", "attached");
	ledger_append_meta(ledger, "backend", host_backend_keys[request->backend]);
	ledger_append_meta(ledger, "kernel", request->kernel);
	ledger_append_meta(ledger, "sidestep", SIDESTEP_VERSION);
	if (request->command)
		ledger_append_meta(ledger, "command", request->command);
	if (request->date)
		ledger_append_meta(ledger, "date", request->date);
	ledger_append_meta(ledger, "tracing", trace_mode_keys[TRACING_SAMPLE]);
}

/* Those of the process which has most: by its descriptors, or by what has run when these are gone. */
static unsigned most_vcpus(const struct followed *followed)
{
	unsigned most = 1;

	for (size_t i = 0; i < followed->process_count; i++) {
		const int count = vm_process_vcpus(&followed->processes[i]);

		if (count > 0 && (unsigned)count > most)
			most = (unsigned)count;
	}
	for (size_t i = 0; i < followed->thread_count; i++)
		if (followed->threads[i]->active && followed->threads[i]->vcpu >= most)
			most = followed->threads[i]->vcpu + 1;
	return most;
}

/* Processes that were not there before. How many there are, and their vCPUs, is said again: the last word counts. */
static void describe_processes(struct attachment *attachment)
{
	const struct followed *followed = &attachment->followed;
	struct ledger *ledger = &attachment->ledger;
	char key[32], value[64];

	for (; attachment->described < followed->process_count; attachment->described++) {
		const struct vm_process *process = &followed->processes[attachment->described];

		snprintf(key, sizeof(key), attachment->described ? "guest.%zu" : "guest", attachment->described);
		snprintf(value, sizeof(value), "process %d (%s)", process->pid, process->name);
		ledger_append_meta(ledger, key, value);
	}
	snprintf(value, sizeof(value), "%zu", followed->process_count ? followed->process_count : 1);
	ledger_append_meta(ledger, "vms", value);
	snprintf(value, sizeof(value), "%u", most_vcpus(followed));
	ledger_append_meta(ledger, "vcpus", value);
}

int attachment_record(struct attachment *attachment, const char *path, struct error *error)
{
	const struct followed *followed = &attachment->followed;
	struct ledger *ledger = &attachment->ledger;
	int rc = ledger_create(ledger, path, ATTACH_CLOCK_KHZ, error);

	attachment->recorded = rc == 0;
	if (rc != 0)
		return rc;
	attachment->sink.ledger = ledger;
	ledger_reserve(ledger, ATTACH_PROCESSES_MAX * sizeof(struct record_end));
	describe_run(&attachment->request, ledger);
	if (followed->missing[0])
		ledger_append_meta(ledger, "tracepoints.missing", followed->missing);
	describe_processes(attachment);
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* After this nothing is opened but what jail.def lists. */
static void seal(struct attachment *attachment)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_READER, attachment->request.jail);

	thread.subject[JAIL_SUBJECT_DONE] = attachment->done_fd;
	if (attachment->recorded) {
		thread.subject[JAIL_SUBJECT_LEDGER] = attachment->ledger.fd;
		thread.size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
	}
	if (attachment->request.all)
		thread.when |= JAIL_WHEN_ALL_VMS;
	thread.looks_out = true;
	thread.capabilities = UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_IPC_LOCK;
	/* There nothing less is enough. */
	if (attachment->followed.plan.paranoid >= PARANOID_ROOT_ONLY)
		thread.capabilities |= UINT64_C(1) << CAP_SYS_ADMIN;
	jail_enter(&thread, &attachment->refused);
	sem_post(&attachment->sealed);
}

/* While nobody else writes to it. */
static void end_ledger(struct attachment *attachment)
{
	const uint64_t lost = followed_lost(&attachment->followed);
	char number[24];

	if (!attachment->recorded)
		return;
	describe_processes(attachment);
	snprintf(number, sizeof(number), "%" PRIu64, lost);
	if (lost)
		ledger_append_meta(&attachment->ledger, "samples.lost", number);
	ledger_end(&attachment->ledger);
	for (size_t i = 0; i < attachment->followed.process_count; i++) {
		const struct record_end record = {
			.record = {.type = RECORD_END, .size = sizeof(record), .vm = (uint8_t)i},
			.cause = attachment->followed.ended[i] ? STOP_EXIT : STOP_QUIT,
		};

		ledger_append(&attachment->ledger, &record.record);
	}
}

static void take_out(struct attachment *attachment)
{
	struct followed *followed = &attachment->followed;
	struct profile_counts *counts = &attachment->sink.counts;

	followed_drain(followed);
	if (!followed->plan.interpreted)
		return;
	counts->l0_known = true;
	counts->l0 += followed_interpreted(followed);
}

static void *read_all(void *argument)
{
	struct attachment *attachment = argument;
	struct followed *followed = &attachment->followed;
	struct pollfd *fds = NULL;
	uint64_t looked = now_ms();
	bool ended = false;

	seal(attachment);
	while (!attachment->refused.text[0] && !ended && !atomic_load(&attachment->stop)) {
		size_t count;

		attachment->failure = followed_gather(followed, &fds, &count);
		if (attachment->failure != 0)
			break;
		poll(fds, count, DRAIN_MS);
		pthread_mutex_lock(&attachment->lock);
		take_out(attachment);
		followed_close_ended(followed);
		if (now_ms() - looked >= LOOK_MS) {
			followed_look(followed);
			looked = now_ms();
		}
		ended = followed_all_ended(followed);
		pthread_mutex_unlock(&attachment->lock);
	}
	free(fds);
	pthread_mutex_lock(&attachment->lock);
	take_out(attachment);
	followed_close(followed);
	end_ledger(attachment);
	pthread_mutex_unlock(&attachment->lock);
	eventfd_write(attachment->done_fd, 1);
	return NULL;
}

int attachment_start(struct attachment *attachment, struct error *error)
{
	int rc = thread_start_helper(&attachment->reader, read_all, attachment);

	attachment->reading = rc == 0;
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "a thread could not be started: %s", strerror(-rc));
	while (sem_wait(&attachment->sealed) != 0)
		;
	if (!attachment->refused.text[0])
		return 0;
	return error_set(error, -EPERM, attachment->refused.status, "%s", attachment->refused.text);
}

void attachment_take(struct attachment *attachment, struct profile_counts *into)
{
	pthread_mutex_lock(&attachment->lock);
	profile_counts_merge(into, &attachment->sink.counts);
	profile_counts_clear(&attachment->sink.counts);
	pthread_mutex_unlock(&attachment->lock);
}

void attachment_stop(struct attachment *attachment)
{
	if (!attachment->reading)
		return;
	atomic_store(&attachment->stop, true);
	pthread_join(attachment->reader, NULL);
	attachment->reading = false;
}

void attachment_finish(struct attachment *attachment)
{
	attachment_stop(attachment);
	followed_finish(&attachment->followed);
	if (attachment->recorded)
		ledger_close(&attachment->ledger);
	if (attachment->done_fd >= 0)
		close(attachment->done_fd);
	keyset_finish(&attachment->sink.places);
	profile_counts_destroy(&attachment->sink.counts);
	sem_destroy(&attachment->sealed);
	pthread_mutex_destroy(&attachment->lock);
	*attachment = (struct attachment){.done_fd = -1};
}
