/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of a vCPU. */
#ifndef VMM_VM_VCPU_H
#define VMM_VM_VCPU_H

#include "vmm/vm/vm.h"

/* What of a vCPU needs no KVM. */
void vcpu_prepare(struct vcpu *vcpu, struct vm *vm, unsigned index);

/* Creates the vCPU, maps its run page and opens its counters. Returns 0 or a negative errno;
 * vcpu_destroy() is due in both cases. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index, struct error *error);
void vcpu_destroy(struct vcpu *vcpu);

/* What the vCPU's thread is called, in top, perf and gdb. */
#define VCPU_NAME_SIZE 16 /* the kernel's limit */
void vcpu_thread_name(const struct vcpu *vcpu, char name[VCPU_NAME_SIZE]);

/* The state that guestfw/abi.h promises: 64-bit mode at the image's entry point. What it says nothing about stays as it is
 * in `sregs`. */
void vcpu_start_state(const struct vcpu *vcpu, struct kvm_sregs *sregs, struct kvm_regs *ret_regs);

/* Gives the vCPU this state, or the one that a platform pc's boot protocol wants: there only the first one starts, and
 * others wait for it. */
int vcpu_start(struct vcpu *vcpu, struct error *error);

/* Special registers as KVM has them: of the nested guest, while that runs. Returns 0 or a negative errno. */
int vcpu_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs);

/* What KVM adds to the host's time stamp counter to make the one that code of L1 reads, here the guest of
 * the engine flat, or the relay. Returns 0 or a negative errno. */
int vcpu_tsc_offset(struct vcpu *vcpu, int64_t *ret_offset);

/* Raises an exception at the next entry, with error code 0 if it has one. Returns 0 or a negative
 * errno. */
int vcpu_inject(struct vcpu *vcpu, uint8_t vector);

/* Goes on behind the instruction of `length` bytes at RIP, which the VMM has carried out, with all that
 * its end means (views/retire.h). Returns 0 or a negative errno. */
int vcpu_step(struct vcpu *vcpu, unsigned length);

/* The same after the exit for a store into a device or an OUT, as far as KVM has left it to do. */
int vcpu_step_stored(struct vcpu *vcpu);

/* Frequency of the guest's time stamp counter; 0: not known. */
uint64_t vcpu_tsc_khz(const struct vcpu *vcpu);

/* The same for a page fault, with its error code and what CR2 shall say. */
int vcpu_inject_page_fault(struct vcpu *vcpu, uint64_t address, uint32_t error_code);

/* Has KVM finish the instruction that it has left for a memory access, without going on with the guest.
 * What else it reads from outside memory is all ones, what it writes there is dropped. Returns 0, or -EIO
 * if the instruction comes to another end. */
int vcpu_finish_access(struct vcpu *vcpu);

/* General registers in the processor's numbering. */
void vcpu_number_regs(const struct kvm_regs *regs, uint64_t ret_regs[16]);

/* General registers as they were at the exit. Changes through the pointer of vcpu_change_regs() are
 * loaded at the next entry. */
static inline const struct kvm_regs *vcpu_regs(const struct vcpu *vcpu)
{
	return &vcpu->run->s.regs.regs;
}

struct kvm_regs *vcpu_change_regs(struct vcpu *vcpu);

#endif
