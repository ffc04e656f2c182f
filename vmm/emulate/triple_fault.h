/* SPDX-License-Identifier: GPL-2.0-only */
/* What to tell of a guest that could not take an exception. */
#ifndef VMM_EMULATE_TRIPLE_FAULT_H
#define VMM_EMULATE_TRIPLE_FAULT_H

#include "vmm/vm/vm.h"

#define TRIPLE_FAULT_TEXT 320

/*
 * Writes which exception it was, at which instruction, and why the IDT led nowhere, as far as registers and memory
 * tell: first_exception.h. `regs` has 16, in the processor's numbering; `sregs` NULL: the state is not known.
 */
void triple_fault_describe(struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t rip, const uint64_t *regs,
			   char text[TRIPLE_FAULT_TEXT]);

#endif
