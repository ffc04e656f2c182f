/* SPDX-License-Identifier: GPL-2.0-only */
/* Model-specific registers of a vCPU. */
#ifndef VMM_VM_VCPU_MSR_H
#define VMM_VM_VCPU_MSR_H

#include "vmm/vm/vm.h"

/* Reads an MSR of the guest, or of the relay if there is one. Returns whether KVM gives it. */
bool vcpu_msr(const struct vcpu *vcpu, uint32_t index, uint64_t *ret_value);

#endif
