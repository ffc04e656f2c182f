/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that run VMs, and those of their threads that run vCPUs, as they come and go. */
#ifndef VMM_ATTACH_FOLLOWED_H
#define VMM_ATTACH_FOLLOWED_H

#include <poll.h>
#include <stdatomic.h>

#include "vmm/attach/attached_thread.h"
#include "vmm/attach/vm_process.h"

#define ATTACH_PROCESSES_MAX 64

struct followed {
	/* Set before: whom to follow, and who gets their exits. */
	const pid_t *pids;
	size_t pid_count;
	bool all; /* every VM of the host, also those that come later */
	struct trace_plan plan;
	void (*exit)(void *opaque, struct attached_thread *thread, const struct attached_exit *exit);
	void *opaque;
	struct trace_formats formats;
	DIR *proc; /* with `all` */
	struct vm_process processes[ATTACH_PROCESSES_MAX];
	bool ended[ATTACH_PROCESSES_MAX];
	size_t process_count;
	struct attached_thread **threads; /* those that have ended too, for what they have counted */
	size_t thread_count, thread_room;
	unsigned blind;    /* how often something that came later could not be looked at */
	char missing[240]; /* what is not observed, and why; empty: nothing is missing */
};

/* Looks for vCPUs, and begins to look at them. Returns 0 or a negative errno with the reason in `error`;
 * followed_finish() is due either way. */
int followed_open(struct followed *followed, struct error *error);
void followed_finish(struct followed *followed);

/* What is waited for: a ring that is half full, the end of a thread or of a process, in memory that is the caller's to
 * free. Returns 0 or -ENOMEM. */
int followed_gather(const struct followed *followed, struct pollfd **fds, size_t *ret_count);

/* Where KVM interprets, no tracepoint says which vCPU a thread runs. Called at each of its exits, gives it a number. */
void followed_number(const struct followed *followed, struct attached_thread *thread);

/* Takes out what the kernel has recorded. */
void followed_drain(struct followed *followed);

/* How many instructions KVM has interpreted since the last call. */
uint64_t followed_interpreted(struct followed *followed);

/* Threads and processes that have ended; and those that are new. */
void followed_close_ended(struct followed *followed);
void followed_look(struct followed *followed);

/* Whether there is nobody to look at any more, nor will be. */
bool followed_all_ended(const struct followed *followed);

/* Looks no longer. What was lost is known then. */
void followed_close(struct followed *followed);

/* Samples that were lost, of all vCPUs, after followed_close(). */
uint64_t followed_lost(const struct followed *followed);

#endif
