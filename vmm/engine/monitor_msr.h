/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSRs that a nested guest must not reach, as KVM would act on them for L1. By those of its paravirtual
 * interface a guest says where in its memory KVM shall write the time and the like: the address of a nested
 * guest would be taken for one of L1, where no view is asked and the monitor's own memory lies.
 */
#ifndef VMM_ENGINE_MONITOR_MSR_H
#define VMM_ENGINE_MONITOR_MSR_H

#include "vmm/vm/vm.h"

#define MONITOR_MSRS_MORE 2

/* A stretch of MSRs. */
struct monitor_msrs {
	uint32_t first, count;
};

/* Has KVM refuse them, and up to MONITOR_MSRS_MORE stretches of the engine's, by #GP, or hand them over if
 * the engine has asked for that. Ahead of the VM's memory slots: KVM waits until nobody reads its
 * old filter, for ticks of the clock if it has waited for slots short before (srcu_might_be_idle(), kernel/rcu/srcutree.c).
 * Returns 0 or a negative errno with the reason in `error`. */
int monitor_msr_protect(struct vm *vm, const struct monitor_msrs *more, size_t count,
			struct error *error);

/* Sets an MSR of a vCPU. Returns 0 or -EIO. */
int monitor_msr_load(const struct vcpu *vcpu, uint32_t index, uint64_t value);

#endif
