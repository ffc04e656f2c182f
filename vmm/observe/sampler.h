/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits at L0 of one vCPU, from the samples of its thread. All of this happens in that thread, while the guest
 * stands still: the marker that is read is then exactly that of the last exit.
 */
#ifndef VMM_OBSERVE_SAMPLER_H
#define VMM_OBSERVE_SAMPLER_H

#include "guestfw/abi.h"
#include "vmm/observe/trace.h"

struct sampler {
	struct trace trace; /* opened by the vCPU's own thread */
	struct l0_assembler assembler;
	uint32_t sequence, marker; /* the guest's marker when samples were last taken out */
	uint32_t interval;         /* the operation of the time since then */
	uint64_t lost;             /* samples, known at the end */
};

/* To be called once the trace has been opened. `emit` gets each exit. */
void sampler_start(struct sampler *sampler, enum trace_id start, const volatile struct ss_vcpu_page *page,
		   l0_exit_fn *emit, void *opaque);

/* Emits all samples. They are those of the time since the last call. `operation` is what the marker says now, `batch`
 * the operation of the batch that goes on, 0: none does. The last exit is `operation`'s: a caller that handles none
 * gives the batch's where the marker says nothing. */
void sampler_drain(struct sampler *sampler, const volatile struct ss_vcpu_page *page, uint32_t operation,
		   uint32_t batch);

/* After everything has been drained: starts or stops recording. */
void sampler_switch(struct sampler *sampler, bool on);

/* After the last sampler_drain(): says what was lost. */
void sampler_finish(struct sampler *sampler);

#endif
