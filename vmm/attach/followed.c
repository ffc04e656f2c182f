/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/followed.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* All rings together, in pages; and of each at least and at most. */
#define PAGES_ALL 16384
#define PAGES_MIN 16
#define PAGES_MAX 512
#define THREADS_MAX 4096

static struct attached_thread *find_thread(const struct followed *followed, size_t process, pid_t id)
{
	for (size_t i = 0; i < followed->thread_count; i++)
		if (followed->threads[i]->id == id && followed->threads[i]->process == process &&
		    !followed->threads[i]->gone)
			return followed->threads[i];
	return NULL;
}

static struct attached_thread *add_thread(struct followed *followed, size_t process, pid_t id)
{
	struct attached_thread *thread = calloc(1, sizeof(*thread));

	if (followed->thread_count == followed->thread_room) {
		size_t room = followed->thread_room ? 2 * followed->thread_room : 16;
		struct attached_thread **more = realloc(followed->threads, room * sizeof(struct attached_thread *));

		if (!more) {
			free(thread);
			return NULL;
		}
		followed->threads = more;
		followed->thread_room = room;
	}
	if (!thread)
		return NULL;
	*thread = (struct attached_thread){
		.id = id,
		.process = process,
		.trace = {.leader = -1},
		.exit = followed->exit,
		.opaque = followed->opaque,
	};
	followed->threads[followed->thread_count++] = thread;
	return thread;
}

/* Of the threads that are there: how many are known to run a vCPU. */
static int count_active(const struct followed *followed, size_t process)
{
	int count = 0;

	for (size_t i = 0; i < followed->thread_count; i++) {
		const struct attached_thread *thread = followed->threads[i];

		count += thread->process == process && thread->active && !thread->gone;
	}
	return count;
}

void followed_number(const struct followed *followed, struct attached_thread *thread)
{
	if (thread->numbered || !followed->plan.interpreted)
		return;
	for (size_t i = 0; i < followed->thread_count; i++)
		thread->vcpu += followed->threads[i]->process == thread->process && followed->threads[i]->numbered;
	thread->numbered = true;
}

static int open_thread(struct followed *followed, size_t process, pid_t id, char *reason, size_t size)
{
	struct attached_thread *thread = find_thread(followed, process, id);
	int rc;

	if (!thread)
		thread = add_thread(followed, process, id);
	if (!thread)
		return -ENOMEM;
	if (thread->open || thread->unwanted)
		return 0;
	rc = attached_thread_open(thread, &followed->plan, reason, size);
	/* It has just ended, and may be seen for a while yet, or its number again. */
	if (rc == -ESRCH) {
		thread->gone = true;
		if (thread == followed->threads[followed->thread_count - 1] && !thread->active)
			free(followed->threads[--followed->thread_count]);
		return 0;
	}
	/* What is refused once is not asked for again, and told once. */
	thread->unwanted = rc != 0;
	return rc;
}

/* Threads that have not run a vCPU, once as many have as there are: tracepoints cost a little at each switch between
 * threads. */
static void close_idle(struct followed *followed, size_t process)
{
	for (size_t i = 0; i < followed->thread_count; i++) {
		struct attached_thread *thread = followed->threads[i];

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
static int follow(struct followed *followed, size_t process, char *reason, size_t size)
{
	int vcpus = vm_process_vcpus(&followed->processes[process]);
	pid_t ids[THREADS_MAX];
	size_t count;
	int rc;

	if (vcpus > 0 && count_active(followed, process) >= vcpus) {
		close_idle(followed, process);
		return 0;
	}
	rc = vm_process_threads(&followed->processes[process], ids, THREADS_MAX, &count);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (count > THREADS_MAX)
		count = THREADS_MAX;
	if (followed->plan.ring_pages == 0)
		followed->plan.ring_pages = ring_pages(count * (followed->all ? 4 : followed->pid_count));
	for (size_t i = 0; i < count; i++) {
		int failed = open_thread(followed, process, ids[i], reason, size);

		rc = rc ? rc : failed;
	}
	return rc;
}

static void end_process(struct followed *followed, size_t process)
{
	for (size_t i = 0; i < followed->thread_count; i++)
		if (followed->threads[i]->process == process) {
			attached_thread_close(followed->threads[i]);
			followed->threads[i]->gone = true;
		}
	followed->ended[process] = true;
}

static int open_process(struct followed *followed, pid_t pid, struct error *error)
{
	struct vm_process *process = &followed->processes[followed->process_count];
	int rc, vcpus;

	if (followed->process_count == ATTACH_PROCESSES_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE, "--pid: more than %d processes", ATTACH_PROCESSES_MAX);
	rc = vm_process_open(process, pid, error);
	followed->process_count++;
	if (rc != 0)
		return rc;
	vcpus = vm_process_vcpus(process);
	if (vcpus <= 0)
		return error_set(error, -ENODEV, STATUS_USAGE,
				 "--pid %d: %s has no vCPU; name the process of a VMM (`sidestep profile --all` looks for them)",
				 pid, process->name);
	return 0;
}

/* Whether tracepoints are not there or not permitted, or have failed. */
static int status_of(int rc)
{
	const bool lacks = rc == -EACCES || rc == -EPERM || rc == -ENOENT || rc == -ENOSYS || rc == -EOPNOTSUPP;

	return lacks ? STATUS_SKIPPED : STATUS_INTERNAL;
}

/* The first look at its threads. */
static int begin_process(struct followed *followed, size_t process, struct error *error)
{
	char reason[sizeof(followed->missing)] = "";
	int rc = follow(followed, process, reason, sizeof(reason));

	if (rc != 0)
		return error_set(error, rc, status_of(rc), "--pid %d: tracepoints: %s",
				 followed->processes[process].pid, rc == -ENOMEM ? "out of memory" : reason);
	if (reason[0])
		memcpy(followed->missing, reason, sizeof(reason));
	return 0;
}

static bool is_known(const struct followed *followed, pid_t pid)
{
	for (size_t i = 0; i < followed->process_count; i++)
		if (followed->processes[i].pid == pid && !followed->ended[i])
			return true;
	return false;
}

/* One that cannot be looked at, or ends in between, is no failure where all are asked for. */
static int found(void *opaque, pid_t pid)
{
	struct followed *followed = opaque;
	struct error error = {0};
	size_t number = followed->process_count;

	if (is_known(followed, pid))
		return 0;
	if (number == ATTACH_PROCESSES_MAX) {
		snprintf(followed->missing, sizeof(followed->missing), "VMs after the first %d", ATTACH_PROCESSES_MAX);
		return 0;
	}
	if (open_process(followed, pid, &error) == 0 && begin_process(followed, number, &error) == 0)
		return 0;
	followed->blind++;
	if (number < followed->process_count)
		end_process(followed, number);
	if (!followed->missing[0])
		snprintf(followed->missing, sizeof(followed->missing), "%.*s",
			 (int)sizeof(followed->missing) - 1, error.text);
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

static int open_all(struct followed *followed, struct error *error)
{
	followed->proc = opendir("/proc");
	if (!followed->proc)
		return error_set(error, -errno, STATUS_INTERNAL, "/proc: %s; mount it", strerror(errno));
	vm_process_each(followed->proc, found, followed);
	return 0;
}

static int load_formats(struct followed *followed, struct error *error)
{
	int rc = trace_formats_load(&followed->formats);

	if (rc >= 0)
		return 0;
	trace_explain(rc, TRACING_SAMPLE, followed->missing, sizeof(followed->missing));
	return error_set(error, rc, status_of(rc), "tracepoints: %s", followed->missing);
}

void followed_look(struct followed *followed)
{
	char reason[sizeof(followed->missing)] = "";

	if (followed->proc)
		vm_process_each(followed->proc, found, followed);
	for (size_t i = 0; i < followed->process_count; i++) {
		if (followed->ended[i])
			continue;
		if (follow(followed, i, reason, sizeof(reason)) != 0) {
			followed->blind++;
			memcpy(followed->missing, reason, sizeof(reason));
		}
	}
}

void followed_drain(struct followed *followed)
{
	for (size_t i = 0; i < followed->thread_count; i++)
		attached_thread_drain(followed->threads[i]);
}

uint64_t followed_interpreted(struct followed *followed)
{
	uint64_t count = 0;

	for (size_t i = 0; i < followed->thread_count; i++)
		if (!followed->threads[i]->unwanted)
			count += attached_thread_interpreted(followed->threads[i]);
	return count;
}

int followed_gather(const struct followed *followed, struct pollfd **fds, size_t *ret_count)
{
	/* One more: nobody may be there yet, and nothing is no size to ask for. */
	size_t most = followed->process_count + followed->thread_count + 1, count = 0;
	struct pollfd *more = realloc(*fds, most * sizeof(**fds));

	if (!more)
		return -ENOMEM;
	*fds = more;
	for (size_t i = 0; i < followed->process_count; i++)
		if (!followed->ended[i])
			more[count++] = (struct pollfd){followed->processes[i].pidfd, POLLIN, 0};
	for (size_t i = 0; i < followed->thread_count; i++)
		if (followed->threads[i]->open)
			more[count++] = (struct pollfd){followed->threads[i]->trace.leader, POLLIN, 0};
	*ret_count = count;
	return 0;
}

/* A thread that has ended: its tracepoints hang up. */
void followed_close_ended(struct followed *followed)
{
	for (size_t i = 0; i < followed->thread_count; i++) {
		struct attached_thread *thread = followed->threads[i];
		struct pollfd fd = {thread->trace.leader, 0, 0};

		if (!thread->open || poll(&fd, 1, 0) <= 0 || !(fd.revents & POLLHUP))
			continue;
		attached_thread_close(thread);
		thread->gone = true;
	}
	for (size_t i = 0; i < followed->process_count; i++)
		if (!followed->ended[i] && vm_process_ended(&followed->processes[i]))
			end_process(followed, i);
}

bool followed_all_ended(const struct followed *followed)
{
	for (size_t i = 0; i < followed->process_count; i++)
		if (!followed->ended[i])
			return false;
	return !followed->all;
}

int followed_open(struct followed *followed, struct error *error)
{
	int rc = 0;

	followed->plan.formats = &followed->formats;
	raise_descriptors();
	/* That there is no such process is said before that nothing could be seen of it. */
	for (size_t i = 0; rc == 0 && i < followed->pid_count; i++)
		if (!is_known(followed, followed->pids[i]))
			rc = open_process(followed, followed->pids[i], error);
	if (rc == 0)
		rc = load_formats(followed, error);
	if (rc == 0 && followed->all)
		return open_all(followed, error);
	for (size_t i = 0; rc == 0 && i < followed->process_count; i++)
		rc = begin_process(followed, i, error);
	return rc;
}

void followed_close(struct followed *followed)
{
	for (size_t i = 0; i < followed->thread_count; i++)
		attached_thread_close(followed->threads[i]);
}

void followed_finish(struct followed *followed)
{
	for (size_t i = 0; i < followed->thread_count; i++) {
		trace_close(&followed->threads[i]->trace);
		free(followed->threads[i]);
	}
	free(followed->threads);
	for (size_t i = 0; i < followed->process_count; i++)
		vm_process_close(&followed->processes[i]);
	if (followed->proc)
		closedir(followed->proc);
	*followed = (struct followed){0};
}

uint64_t followed_lost(const struct followed *followed)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < followed->thread_count; i++)
		if (!followed->threads[i]->unwanted)
			lost += followed->threads[i]->lost;
	return lost;
}
