/* SPDX-License-Identifier: GPL-2.0-only */
/* Which instructions the guest's processor has, by what CPUID and the control registers tell the guest. */
#ifndef VMM_EMULATE_ISA_H
#define VMM_EMULATE_ISA_H

#include "vmm/emulate/instruction.h"

struct isa {
	const struct kvm_cpuid2 *cpuid;
	bool virtualization; /* what it says of VMX and SVM holds; a monitor keeps both from the guest */
	bool amd;            /* where the vendors differ, the rules of AMD hold */
	uint64_t cr4, efer;
};

/* The processor of a vCPU whose registers are these. */
struct isa isa_of(const struct vcpu *vcpu, const struct kvm_sregs *sregs);

/* Whether an instruction, decoded in that mode, is one that the processor has there, outside system
 * management mode. If not, it raises #UD. Privilege and operands are not looked at. */
bool isa_has(const struct isa *isa, const struct cpu_mode *mode, const struct insn *insn);

#endif
