/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of a vCPU. */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "vm.h"

/* Creates the vCPU, maps its run page and opens its counters. Returns 0 or a negative errno;
 * vcpu_destroy() is due in both cases. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index, struct error *error);
void vcpu_destroy(struct vcpu *vcpu);

/* The state that guestfw/abi.h promises: 64-bit mode at the image's entry point. */
int vcpu_enter_long_mode(struct vcpu *vcpu, struct error *error);

/* Raises an exception without an error code at the next entry. Returns 0 or a negative errno. */
int vcpu_inject(struct vcpu *vcpu, uint8_t vector);

/* Frequency of the guest's time stamp counter; 0: not known. */
uint64_t vcpu_tsc_khz(const struct vcpu *vcpu);

/* All counters of the kernel that can be read. */
void vcpu_read_counters(const struct vcpu *vcpu, struct stat_values *values);

/* General registers as they were at the exit. Changes through the pointer of vcpu_change_regs() are
 * loaded at the next entry. */
const struct kvm_regs *vcpu_regs(const struct vcpu *vcpu);
struct kvm_regs *vcpu_change_regs(struct vcpu *vcpu);

#endif
