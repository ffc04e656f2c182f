/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual interrupts of a vCPU: where they come from, and how KVM gets them. */
#ifndef VMM_SERVICE_INTERRUPT_H
#define VMM_SERVICE_INTERRUPT_H

#include "vmm/vm/vm.h"

/* Raises a vector as a device would, and records what became of it. Returns 0 or -EINVAL. */
int interrupt_raise(struct vcpu *vcpu, uint64_t vector);

/* Sets how a vector is handled (enum ss_disposition), and records what became of one that was
 * pending. Returns 0 or -EINVAL. */
int interrupt_set(struct vcpu *vcpu, uint64_t vector, uint64_t disposition);

/* Has the next `count` HLTs raise a vector, instead of those that were asked for before. Returns 0 or
 * -EINVAL. */
int interrupt_at_halts(struct vcpu *vcpu, uint64_t vector, uint64_t count);

/* The vCPU has halted: raises what is to be raised then. Returns whether anything wakes it. */
bool interrupt_halted(struct vcpu *vcpu);

/* After every exit: gives KVM an interrupt if there is one and the vCPU can take it, and asks for a
 * notice of when it can if there are more. */
void interrupt_deliver(struct vcpu *vcpu);

#endif
