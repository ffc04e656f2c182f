/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits at L0 of one vCPU, from the samples of its thread to records. All of this happens in that thread,
 * while the guest stands still: the marker that is read is then exactly that of the last exit.
 */
#ifndef VMM_OBSERVE_SAMPLER_H
#define VMM_OBSERVE_SAMPLER_H

#include "vmm/vm/vm.h"

/* To be called once the trace of the vCPU has been opened. */
void sampler_start(struct vcpu *vcpu);

/* Turns all samples into records. They are those of the time since the last call. */
void sampler_drain(struct vcpu *vcpu);

/* To be called at every exit to user space, before it is handled: drains if the marker has changed
 * since, or much has come together. */
static inline void sampler_observe(struct vcpu *vcpu)
{
	if (vcpu->trace.on &&
	    (vcpu->page->marker.sequence != vcpu->sampler.sequence ||
	     vcpu->page->marker.operation != vcpu->sampler.marker || trace_pressing(&vcpu->trace)))
		sampler_drain(vcpu);
}

/* After a kick: starts or stops recording. */
void sampler_switch(struct vcpu *vcpu, bool on);

/* After the vCPU's thread has ended. */
void sampler_finish(struct vcpu *vcpu);

#endif
