/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/attachment.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "vmm/attach/attach_record.h"
#include "vmm/base/thread.h"

/* How often rings are emptied when none is half full, and how often threads that are new are looked for. */
#define DRAIN_MS 50
#define LOOK_MS 200
/* All rings together, in pages; and of each at least and at most. */
#define PAGES_ALL 16384
#define PAGES_MIN 16
#define PAGES_MAX 512
#define THREADS_MAX 4096
/* Of kernel.perf_event_paranoid, where the kernel is Debian's. */
#define PARANOID_ROOT_ONLY 3

static void note_exit(void *opaque, struct attached_thread *thread, const struct attached_exit *exit)
{
	struct attachment *attachment = opaque;
	const struct attach_request *request = &attachment->request;

	if (request->one_vcpu && thread->vcpu != request->vcpu) {
		thread->unwanted = thread->assembler.vcpu_known;
		return;
	}
	attach_record(attachment, thread, exit);
}

static struct attached_thread *find_thread(const struct attachment *attachment, size_t process, pid_t id)
{
	for (size_t i = 0; i < attachment->thread_count; i++)
		if (attachment->threads[i]->id == id && attachment->threads[i]->process == process &&
		    !attachment->threads[i]->gone)
			return attachment->threads[i];
	return NULL;
}

static struct attached_thread *add_thread(struct attachment *attachment, size_t process, pid_t id)
{
	struct attached_thread *thread = calloc(1, sizeof(*thread));

	if (attachment->thread_count == attachment->thread_room) {
		size_t room = attachment->thread_room ? 2 * attachment->thread_room : 16;
		struct attached_thread **more = realloc(attachment->threads, room * sizeof(struct attached_thread *));

		if (!more) {
			free(thread);
			return NULL;
		}
		attachment->threads = more;
		attachment->thread_room = room;
	}
	if (!thread)
		return NULL;
	*thread = (struct attached_thread){
		.id = id,
		.process = process,
		.trace = {.leader = -1},
		.exit = note_exit,
		.opaque = attachment,
	};
	attachment->threads[attachment->thread_count++] = thread;
	return thread;
}

/* Of the threads that are there: how many are known to run a vCPU. */
static int count_active(const struct attachment *attachment, size_t process)
{
	int count = 0;

	for (size_t i = 0; i < attachment->thread_count; i++) {
		const struct attached_thread *thread = attachment->threads[i];

		count += thread->process == process && thread->active && !thread->gone;
	}
	return count;
}

static int open_thread(struct attachment *attachment, size_t process, pid_t id, char *reason, size_t size)
{
	struct attached_thread *thread = find_thread(attachment, process, id);
	int rc;

	if (!thread)
		thread = add_thread(attachment, process, id);
	if (!thread)
		return -ENOMEM;
	if (thread->open || thread->unwanted)
		return 0;
	rc = attached_thread_open(thread, &attachment->plan, reason, size);
	thread->gone = rc != 0;
	return rc == -ESRCH ? 0 : rc;
}

/* Threads that have not run a vCPU, once as many have as there are: tracepoints cost a little at each switch between
 * threads. */
static void close_idle(struct attachment *attachment, size_t process)
{
	for (size_t i = 0; i < attachment->thread_count; i++) {
		struct attached_thread *thread = attachment->threads[i];

		if (thread->process == process && thread->open && (!thread->active || thread->unwanted))
			attached_thread_close(thread);
	}
}

static size_t ring_pages(size_t threads)
{
	size_t pages = PAGES_MAX;

	while (pages > PAGES_MIN && pages * threads > PAGES_ALL)
		pages /= 2;
	return pages;
}

/* Looks at all threads of a process until those that run vCPUs are known. */
static int follow(struct attachment *attachment, size_t process, char *reason, size_t size)
{
	int vcpus = vm_process_vcpus(&attachment->processes[process]);
	pid_t ids[THREADS_MAX];
	size_t count;
	int rc;

	if (vcpus > 0 && count_active(attachment, process) >= vcpus) {
		close_idle(attachment, process);
		return 0;
	}
	rc = vm_process_threads(&attachment->processes[process], ids, THREADS_MAX, &count);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (count > THREADS_MAX)
		count = THREADS_MAX;
	if (attachment->plan.ring_pages == 0)
		attachment->plan.ring_pages = ring_pages(count * (attachment->request.all ? 4 : attachment->request.pid_count));
	for (size_t i = 0; i < count; i++) {
		int failed = open_thread(attachment, process, ids[i], reason, size);

		rc = rc ? rc : failed;
	}
	return rc;
}

static void end_process(struct attachment *attachment, size_t process)
{
	for (size_t i = 0; i < attachment->thread_count; i++)
		if (attachment->threads[i]->process == process) {
			attached_thread_close(attachment->threads[i]);
			attachment->threads[i]->gone = true;
		}
	attachment->ended[process] = true;
}

static int open_process(struct attachment *attachment, pid_t pid, struct error *error)
{
	struct vm_process *process = &attachment->processes[attachment->process_count];
	int rc, vcpus;

	if (attachment->process_count == ATTACH_PROCESSES_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE, "--pid: more than %d processes", ATTACH_PROCESSES_MAX);
	rc = vm_process_open(process, pid, error);
	attachment->process_count++;
	if (rc != 0)
		return rc;
	vcpus = vm_process_vcpus(process);
	if (vcpus <= 0)
		return error_set(error, -ENODEV, STATUS_USAGE,
				 "--pid %d: %s has no vCPU; name the process of a VMM (`sidestep profile --all` looks for them)",
				 pid, process->name);
	return 0;
}

/* The first look at its threads. */
static int begin_process(struct attachment *attachment, size_t process, struct error *error)
{
	char reason[sizeof(attachment->missing)] = "";
	int rc = follow(attachment, process, reason, sizeof(reason));

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "--pid %d: tracepoints: %s", attachment->processes[process].pid,
				 rc == -ENOMEM ? "out of memory" : reason);
	if (reason[0])
		memcpy(attachment->missing, reason, sizeof(reason));
	return 0;
}

static bool is_known(const struct attachment *attachment, pid_t pid)
{
	for (size_t i = 0; i < attachment->process_count; i++)
		if (attachment->processes[i].pid == pid && !attachment->ended[i])
			return true;
	return false;
}

/* One that cannot be looked at, or ends in between, is no failure where all are asked for. */
static int found(void *opaque, pid_t pid)
{
	struct attachment *attachment = opaque;
	struct error error = {0};
	size_t number = attachment->process_count;

	if (is_known(attachment, pid) || number == ATTACH_PROCESSES_MAX)
		return 0;
	if (open_process(attachment, pid, &error) == 0 && begin_process(attachment, number, &error) == 0)
		return 0;
	attachment->blind++;
	if (number < attachment->process_count)
		end_process(attachment, number);
	if (!attachment->missing[0])
		snprintf(attachment->missing, sizeof(attachment->missing), "%.*s",
			 (int)sizeof(attachment->missing) - 1, error.text);
	return 0;
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_all(struct attachment *attachment, struct error *error)
{
	attachment->proc = opendir("/proc");
	if (!attachment->proc)
		return error_set(error, -errno, STATUS_INTERNAL, "/proc: %s; mount it", strerror(errno));
	vm_process_each(attachment->proc, found, attachment);
	return 0;
}

static int load_formats(struct attachment *attachment, struct error *error)
{
	int rc = trace_formats_load(&attachment->formats);

	if (rc >= 0)
		return 0;
	trace_explain(rc, TRACING_SAMPLE, attachment->missing, sizeof(attachment->missing));
	return error_set(error, rc, STATUS_INTERNAL, "tracepoints: %s", attachment->missing);
}

int attachment_open(struct attachment *attachment, const struct attach_request *request, struct error *error)
{
	int rc;

	*attachment = (struct attachment){
		.request = *request,
		.plan = {.mode = TRACING_SAMPLE, .interpreted = request->backend == HOST_BACKEND_PVM,
			 .paranoid = trace_paranoid_level()},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.done_fd = eventfd(0, EFD_CLOEXEC),
	};
	attachment->plan.formats = &attachment->formats;
	sem_init(&attachment->sealed, 0, 0);
	if (attachment->done_fd < 0)
		return error_set(error, -errno, STATUS_INTERNAL, "eventfd: %s", strerror(errno));
	rc = profile_counts_create(&attachment->fresh, request->by);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "out of memory");
	raise_descriptors();
	/* That there is no such process is said before that nothing could be seen of it. */
	for (size_t i = 0; rc == 0 && i < request->pid_count; i++)
		if (!is_known(attachment, request->pids[i]))
			rc = open_process(attachment, request->pids[i], error);
	if (rc == 0)
		rc = load_formats(attachment, error);
	if (rc == 0 && request->all)
		return open_all(attachment, error);
	for (size_t i = 0; rc == 0 && i < attachment->process_count; i++)
		rc = begin_process(attachment, i, error);
	return rc;
}

static void look(struct attachment *attachment)
{
	char reason[sizeof(attachment->missing)] = "";

	if (attachment->proc)
		vm_process_each(attachment->proc, found, attachment);
	for (size_t i = 0; i < attachment->process_count; i++) {
		if (attachment->ended[i])
			continue;
		if (follow(attachment, i, reason, sizeof(reason)) != 0) {
			attachment->blind++;
			memcpy(attachment->missing, reason, sizeof(reason));
		}
	}
}

static void drain(struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->thread_count; i++) {
		struct attached_thread *thread = attachment->threads[i];

		if (attachment->plan.interpreted && !thread->unwanted) {
			attachment->fresh.l0_known = true;
			attachment->fresh.l0 += attached_thread_interpreted(thread);
		}
		attached_thread_drain(thread);
	}
}

/* What is waited for: a ring that is half full, the end of a thread or of a process. Returns 0 or -ENOMEM. */
static int gather(const struct attachment *attachment, struct pollfd **fds, size_t *ret_count)
{
	size_t most = attachment->process_count + attachment->thread_count, count = 0;
	struct pollfd *more = realloc(*fds, most * sizeof(**fds));

	if (!more)
		return -ENOMEM;
	*fds = more;
	for (size_t i = 0; i < attachment->process_count; i++)
		if (!attachment->ended[i])
			more[count++] = (struct pollfd){attachment->processes[i].pidfd, POLLIN, 0};
	for (size_t i = 0; i < attachment->thread_count; i++)
		if (attachment->threads[i]->open)
			more[count++] = (struct pollfd){attachment->threads[i]->trace.leader, POLLIN, 0};
	*ret_count = count;
	return 0;
}

/* A thread that has ended: its tracepoints hang up. */
static void close_ended(struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->thread_count; i++) {
		struct attached_thread *thread = attachment->threads[i];
		struct pollfd fd = {thread->trace.leader, 0, 0};

		if (!thread->open || poll(&fd, 1, 0) <= 0 || !(fd.revents & POLLHUP))
			continue;
		attached_thread_close(thread);
		thread->gone = true;
	}
	for (size_t i = 0; i < attachment->process_count; i++)
		if (!attachment->ended[i] && vm_process_ended(&attachment->processes[i]))
			end_process(attachment, i);
}

static bool all_ended(const struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->process_count; i++)
		if (!attachment->ended[i])
			return false;
	return !attachment->request.all;
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
	if (attachment->request.ledger) {
		thread.subject[JAIL_SUBJECT_LEDGER] = attachment->request.ledger->fd;
		thread.size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
	}
	if (attachment->proc)
		thread.when |= JAIL_WHEN_ALL_VMS;
	thread.looks_out = true;
	thread.capabilities = UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_IPC_LOCK;
	/* There nothing less is enough. */
	if (attachment->plan.paranoid >= PARANOID_ROOT_ONLY)
		thread.capabilities |= UINT64_C(1) << CAP_SYS_ADMIN;
	jail_enter(&thread, &attachment->refused);
	sem_post(&attachment->sealed);
}

/* The end of the ledger, while nobody else writes to it. */
static void end_ledger(const struct attachment *attachment)
{
	struct ledger *ledger = attachment->request.ledger;
	char number[24];

	if (!ledger)
		return;
	snprintf(number, sizeof(number), "%" PRIu64, attachment_lost(attachment));
	if (attachment_lost(attachment))
		ledger_append_meta(ledger, "samples.lost", number);
	for (size_t i = 0; i < attachment->process_count; i++) {
		const struct record_end record = {
			.record = {.type = RECORD_END, .size = sizeof(record), .vm = (uint8_t)i},
			.cause = attachment->ended[i] ? STOP_EXIT : STOP_QUIT,
		};

		ledger_append(ledger, &record.record);
	}
	ledger_end(ledger);
}

static void close_all(struct attachment *attachment)
{
	drain(attachment);
	for (size_t i = 0; i < attachment->thread_count; i++)
		attached_thread_close(attachment->threads[i]);
	end_ledger(attachment);
}

static void *read_all(void *argument)
{
	struct attachment *attachment = argument;
	struct pollfd *fds = NULL;
	uint64_t looked = now_ms();
	bool ended = false;

	seal(attachment);
	while (!attachment->refused.text[0] && !ended && !atomic_load(&attachment->stop)) {
		size_t count;

		attachment->failure = gather(attachment, &fds, &count);
		if (attachment->failure != 0)
			break;
		poll(fds, count, DRAIN_MS);
		pthread_mutex_lock(&attachment->lock);
		drain(attachment);
		close_ended(attachment);
		if (now_ms() - looked >= LOOK_MS) {
			look(attachment);
			looked = now_ms();
		}
		ended = all_ended(attachment);
		pthread_mutex_unlock(&attachment->lock);
	}
	free(fds);
	pthread_mutex_lock(&attachment->lock);
	close_all(attachment);
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
	profile_counts_merge(into, &attachment->fresh);
	profile_counts_clear(&attachment->fresh);
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
	for (size_t i = 0; i < attachment->thread_count; i++) {
		trace_close(&attachment->threads[i]->trace);
		free(attachment->threads[i]);
	}
	free(attachment->threads);
	for (size_t i = 0; i < attachment->process_count; i++)
		vm_process_close(&attachment->processes[i]);
	if (attachment->proc)
		closedir(attachment->proc);
	if (attachment->done_fd >= 0)
		close(attachment->done_fd);
	keyset_finish(&attachment->places);
	profile_counts_destroy(&attachment->fresh);
	sem_destroy(&attachment->sealed);
	pthread_mutex_destroy(&attachment->lock);
	*attachment = (struct attachment){.done_fd = -1};
}

size_t attachment_vcpus(const struct attachment *attachment)
{
	size_t count = 0;

	for (size_t i = 0; i < attachment->thread_count; i++)
		count += attachment->threads[i]->active && !attachment->threads[i]->unwanted;
	return count;
}

uint64_t attachment_lost(const struct attachment *attachment)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < attachment->thread_count; i++)
		if (!attachment->threads[i]->unwanted)
			lost += attachment->threads[i]->lost;
	return lost;
}
