/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs that share a vCPU, as its thread sees them: by their first one's vCPU, `first`. The relay switches from one to the
 * next; here is who has the vCPU at an exit, and what makes the relay switch when the guest does not ask for it. A VM with
 * vCPUs of its own shares them with nobody, and is the only one.
 */
#ifndef VMM_RUN_SHARE_H
#define VMM_RUN_SHARE_H

#include "vmm/vm/vm.h"

/* How many they are, and the vCPU of one of them, from 0. */
unsigned share_count(const struct vcpu *first);
struct vcpu *share_vcpu(const struct vcpu *first, unsigned number);

/* Of several: the one whose guest the vCPU is in. */
struct vcpu *share_running(struct vcpu *first);

/* How many of them go on. */
unsigned share_alive(const struct vcpu *first);

static inline bool share_is_over(const struct vcpu *vcpu)
{
	return atomic_load(&vcpu->vm->stop) || vcpu->parked;
}

/* None of them goes on. */
static inline bool share_over(const struct vcpu *first)
{
	return share_is_over(first) && share_alive(first) == 0;
}

/* Ends them all: what one of them was in when the vCPU itself failed says nothing of whose fault that is. */
void share_stop(const struct vcpu *first, enum stop_cause cause, int status, const char *text);

/* After an exit of one of several: if it is over, or has halted and waits for an interrupt, the next one goes on. */
void share_hand_over(struct vcpu *vcpu);

/* From any thread: the slice of the one that has the vCPU is over. The thread has to be kicked, and calls
 * share_end_slice(). */
void share_tick(struct vcpu *first);
void share_end_slice(struct vcpu *first);

#endif
