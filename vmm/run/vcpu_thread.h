/* SPDX-License-Identifier: GPL-2.0-only */
/* The thread that runs a vCPU, and how others see it. */
#ifndef VMM_RUN_VCPU_THREAD_H
#define VMM_RUN_VCPU_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "vmm/run/seal.h"
#include "vmm/run/tracing.h"
#include "vmm/vm/vm.h"

struct vcpu_thread {
	struct vcpu *vcpu;
	unsigned exits; /* of the vCPU, when it was looked at last */
	struct tracing *tracing;
	struct seal *seal;
	int done_fd; /* eventfd that is told when the thread ends */
	pthread_t thread;
	bool started;
	pid_t tid; /* known when it waits at the seal's gate */
	atomic_bool finished;
	char where[200]; /* the guest was when the thread ended, in words */
};

/* Starts the thread, which seals itself and waits before it enters the guest. What comes before `thread` is set.
 * Returns 0 or a negative errno with the reason in `error`; vcpu_thread_join() is due in both cases. */
int vcpu_thread_start(struct vcpu_thread *thread, struct error *error);
void vcpu_thread_join(struct vcpu_thread *thread);

bool vcpu_thread_running(const struct vcpu_thread *thread);

/* Makes one that runs leave the guest for a moment. */
void vcpu_thread_kick(struct vcpu_thread *thread);

#endif
