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

#include "vmm/attach/attach_record.h"
#include "vmm/attach/followed.h"
#include "vmm/jail/jail.h"

struct attach_request {
	const pid_t *pids;
	size_t pid_count;
	bool all; /* every VM of the host, also those that come later */
	enum group_key by;
	bool one_vcpu; /* only those with this number */
	uint32_t vcpu;
	enum host_backend backend;
	attach_symbol_fn *symbol; /* NULL: there are no names */
	const void *symbols;
	enum jail_mode jail; /* of the reader */
	/* For the ledger: the host's kernel, how this was called and when; the last two may be NULL. */
	const char *kernel, *command, *date;
};

struct attachment {
	struct attach_request request;
	pthread_mutex_t lock; /* of these, once the reader runs */
	struct followed followed;
	struct attach_sink sink;
	struct ledger ledger;
	bool recorded;    /* there is a ledger */
	size_t described; /* processes that it names */
	int failure;   /* a negative errno that ended the reader */
	pthread_t reader;
	bool reading;
	atomic_bool stop;
	sem_t sealed;         /* the reader has, or could not */
	struct error refused; /* why not; its text is empty if it has */
	int done_fd;          /* eventfd: the reader has ended, as all VMs have, or with a failure */
};

/* Looks for vCPUs, and begins to look at them. Returns 0 or a negative errno with the reason in `error`;
 * attachment_finish() is due either way. */
int attachment_open(struct attachment *attachment, const struct attach_request *request, struct error *error);

/* Has a ledger made, before attachment_start(). Returns like that. */
int attachment_record(struct attachment *attachment, const char *path, struct error *error);

/* Starts the thread, which seals itself (jail.def, READER). Returns 0 or a negative errno with the reason in `error`. */
int attachment_start(struct attachment *attachment, struct error *error);

/* Moves what was counted since the last call. */
void attachment_take(struct attachment *attachment, struct profile_counts *into);

/* Ends the thread; what the kernel still has is counted. */
void attachment_stop(struct attachment *attachment);

void attachment_finish(struct attachment *attachment);

#endif
