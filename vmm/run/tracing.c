/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/tracing.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vmm/base/thread.h"
#include "vmm/observe/recorder.h"

static void *wait_for_kernel(void *argument)
{
	struct tracing *tracing = argument;

	tracing->awaited = trace_await_kernel();
	return NULL;
}

void tracing_await_kernel(struct tracing *tracing)
{
	if (tracing->waiting)
		pthread_join(tracing->waiter, NULL);
	tracing->waiting = false;
}

int tracing_create(struct tracing *tracing, const struct plan *plan, const struct host *host)
{
	int rc;

	*tracing = (struct tracing){
		.plan = {.mode = plan->trace, .interpreted = host->backend == HOST_BACKEND_PVM},
		.awaited = -1,
		.fd = -1,
	};
	tracing->plan.formats = &tracing->formats;
	if (plan->trace <= TRACING_COUNT)
		return 0;
	rc = trace_formats_load(&tracing->formats);
	if (rc < 0) {
		trace_explain(rc, plan->trace, tracing->missing, sizeof(tracing->missing));
		tracing->plan.mode = TRACING_OFF;
		return rc == -ENOMEM ? rc : 0;
	}
	tracing->fd = epoll_create1(EPOLL_CLOEXEC);
	tracing->waiting = thread_start_helper(&tracing->waiter, wait_for_kernel, tracing) == 0;
	return attribution_create(&tracing->attribution, &plan->image);
}

void tracing_destroy(struct tracing *tracing)
{
	attribution_destroy(&tracing->attribution);
	tracing_await_kernel(tracing);
	if (tracing->awaited >= 0)
		close(tracing->awaited);
	if (tracing->fd >= 0)
		close(tracing->fd);
	*tracing = (struct tracing){.awaited = -1, .fd = -1};
}

/* What the tracepoints show of this run, and what they do not, though it was asked for. */
static void describe(const struct tracing *tracing, struct ledger *ledger)
{
	if (!ledger)
		return;
	ledger_append_meta(ledger, "tracing", trace_mode_keys[atomic_load(&tracing->mode)]);
	if (tracing->missing[0])
		ledger_append_meta(ledger, "tracepoints.missing", tracing->missing);
}

void tracing_start_thread(struct tracing *tracing, struct vcpu *vcpu)
{
	bool first = vcpu->index == 0 && vcpu->vm->index == 0;
	struct recorder *recorder = vcpu->recorder;
	struct epoll_event event = {.events = EPOLLIN};
	char reason[sizeof(tracing->missing)];

	if (tracing->plan.mode != TRACING_OFF) {
		recorder_open_trace(recorder, &tracing->plan,
				    tracing->plan.interpreted ? TRACE_kvm_emulate_insn : TRACE_kvm_exit,
				    &tracing->attribution, reason, sizeof(reason));
		if (first)
			memcpy(tracing->missing, reason, sizeof(reason));
	}
	if (recorder_trace_mode(recorder) > TRACING_COUNT)
		epoll_ctl(tracing->fd, EPOLL_CTL_ADD, recorder_trace_fd(recorder), &event);
	if (!first)
		return; /* the same holds for all */
	atomic_store(&tracing->mode, recorder_trace_mode(recorder));
	describe(tracing, recorder->ledger);
}
