/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of a guest's kernel: of its image, or of the files of --symbols and wherever the kernel lies. */
#ifndef VMM_VM_KERNEL_SYMBOLS_H
#define VMM_VM_KERNEL_SYMBOLS_H

#include "vmm/vm/vm.h"

/* Looks into the registers of a vCPU, in its thread, to find out where the kernel is, until it is known. */
void kernel_symbols_look(struct vcpu *vcpu, const struct kvm_sregs *sregs);

/* The same with registers that it asks for if they are needed. */
void kernel_symbols_find(struct vcpu *vcpu);

/* The function that a linear address is in, and how far from its beginning; NULL if none is known. */
const struct image_symbol *kernel_symbols_at(const struct vm *vm, uint64_t address, uint64_t *ret_offset);

/* What to call code that has no function in the file: of user space, of the monitor around a nested guest, or of before
 * there was a kernel, which runs where the image was loaded. `cpl`: the privilege level now, which may be another one than
 * when it ran. NULL: nothing can be said. */
const char *kernel_symbols_place(const struct vm *vm, uint64_t address, unsigned cpl);

#endif
