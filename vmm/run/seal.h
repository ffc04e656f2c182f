/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How all threads of a run get into the jail before any guest runs: each thread of a vCPU seals itself
 * and waits at a gate; when all have arrived the main thread limits the process, seals itself and
 * opens the gate.
 */
#ifndef VMM_RUN_SEAL_H
#define VMM_RUN_SEAL_H

#include <pthread.h>

#include "vmm/base/error.h"
#include "vmm/jail/jail.h"
#include "vmm/output/output.h"
#include "vmm/output/startup.h"
#include "vmm/vm/vm.h"

struct seal {
	enum jail_mode mode;
	/* What the run has, -1 or 0 where it has none. Set before a thread starts. */
	const struct plan *plan;
	int console_fd, done_fd, ledger_fd;
	int keys_fd;   /* of a terminal, for somebody who watches */
	bool watched;
	pid_t remover; /* process that removes the PID file */
	const struct output *output;  /* of the report; NULL: none */
	struct startup inherited;     /* descriptors to be closed */
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	unsigned waiting;    /* threads at the gate */
	struct error error;  /* first failure of one of them */
	pthread_mutex_t gate;
};

/* `output` must outlive the run. The gate is shut by the calling thread. */
void seal_init(struct seal *seal, enum jail_mode mode, const struct output *output);
void seal_finish(struct seal *seal);

/* In the thread of a vCPU, when it has opened all it needs: seals it and waits. After a failure, which
 * seal_main() reports, it returns too: the VM has been told to stop. */
void seal_vcpu(struct seal *seal, const struct vcpu *vcpu);

/* In the main thread: waits until `threads` have arrived. Returns 0 or a negative errno with the reason in
 * `error`. */
int seal_await(struct seal *seal, unsigned threads, struct error *error);

/* In the main thread, then: seals it. Returns like seal_await(). */
int seal_main(struct seal *seal, const struct vm *vms, unsigned count, int signal_fd, struct error *error);

/* What qsort() would ask for later. */
void seal_prepare_sorting(void);

/* The threads go on. */
void seal_open(struct seal *seal);

#endif
