/* SPDX-License-Identifier: GPL-2.0-only */
/* kvm tracepoints of all vCPUs of a run. */
#ifndef VMM_RUN_TRACING_H
#define VMM_RUN_TRACING_H

#include "vmm/observe/attribution.h"
#include "vmm/observe/trace.h"
#include "vmm/vm/vm.h"

struct tracing {
	struct trace_plan plan;
	struct trace_formats formats;
	struct attribution attribution;
	atomic_int mode;   /* enum trace_mode: what came of what was asked for */
	char missing[240]; /* what is not observed, and why; empty: nothing is missing */
	uint64_t lost;     /* samples of all vCPUs, known at the end */
	unsigned blind;    /* vCPUs of which less could be traced than `mode`, the same */
	pthread_t waiter;  /* waits for the kernel while the VMs are made */
	bool waiting;
	int awaited;       /* descriptor that it has waited for, or negative */
	int fd;            /* epoll: when a ring is half full poll() says so, once; -1: none */
};

/* Returns 0 or -ENOMEM. That something is missing is no failure; tracing->missing says it. */
int tracing_create(struct tracing *tracing, const struct plan *plan, const struct host *host);
void tracing_destroy(struct tracing *tracing);

/* Before the threads of the vCPUs start. */
void tracing_await_kernel(struct tracing *tracing);

/* For the vCPU's own thread, before it enters the guest. */
void tracing_start_thread(struct tracing *tracing, struct vcpu *vcpu);

#endif
