/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs of other processes, while somebody looks at their exits. A thread of its own takes out what the kernel records,
 * and follows vCPUs that come and go, so that who shows it may take its time. Nothing is done to the processes.
 */
#ifndef VMM_ATTACH_ATTACHMENT_H
#define VMM_ATTACH_ATTACHMENT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "vmm/attach/attached_thread.h"
#include "vmm/attach/vm_process.h"
#include "vmm/base/keyset.h"
#include "vmm/jail/jail.h"
#include "vmm/ledger/ledger.h"
#include "vmm/profile/profile.h"

#define ATTACH_PROCESSES_MAX 64

struct attach_request {
	const pid_t *pids;
	size_t pid_count;
	bool all; /* every VM of the host, also those that come later */
	enum group_key by;
	bool one_vcpu; /* only the one with this number */
	uint32_t vcpu;
	enum host_backend backend;
	/* The name of the function that an address of the guest is in, and where that begins; NULL: not known. */
	const char *(*symbol)(const void *opaque, uint64_t address, uint64_t *ret_start);
	const void *symbols;
	struct ledger *ledger; /* NULL: nothing is recorded */
	enum jail_mode jail;   /* of the reader */
};

struct attachment {
	struct attach_request request;
	struct trace_formats formats;
	struct trace_plan plan;
	DIR *proc; /* with request.all */
	struct vm_process processes[ATTACH_PROCESSES_MAX];
	bool ended[ATTACH_PROCESSES_MAX];
	size_t process_count;
	struct attached_thread **threads; /* those that have ended too, for what they have counted */
	size_t thread_count, thread_room;
	pthread_mutex_t lock;        /* of what follows, and of what is above once the reader runs */
	struct profile_counts fresh; /* what was not taken yet */
	struct keyset places;        /* RIPs whose function is in the ledger */
	unsigned blind;              /* threads that came later and could not be looked at */
	char missing[240];           /* what is not observed, and why; empty: nothing is missing */
	int failure;                 /* a negative errno that ended the reader */
	pthread_t reader;
	bool reading;
	atomic_bool stop;
	int done_fd; /* eventfd: the reader has ended, as all VMs have, or with a failure */
	sem_t sealed;         /* the reader has, or could not */
	struct error refused; /* why not; its text is empty if it has */
};

/* Looks for vCPUs, and begins to look at them. Returns 0 or a negative errno with the reason in `error`;
 * attachment_finish() is due either way. */
int attachment_open(struct attachment *attachment, const struct attach_request *request, struct error *error);

/* Starts the thread, which seals itself (jail.def, READER). Returns 0 or a negative errno with the reason in `error`. */
int attachment_start(struct attachment *attachment, struct error *error);

/* Moves what was counted since the last call. */
void attachment_take(struct attachment *attachment, struct profile_counts *into);

/* Ends the thread; what the kernel still has is counted. */
void attachment_stop(struct attachment *attachment);

void attachment_finish(struct attachment *attachment);

/* How many vCPUs are being looked at or were. */
size_t attachment_vcpus(const struct attachment *attachment);

/* Samples that were lost, of all vCPUs, after attachment_stop(). */
uint64_t attachment_lost(const struct attachment *attachment);

#endif
