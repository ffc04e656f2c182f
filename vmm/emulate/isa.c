/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/isa.h"

#include <string.h>

#include "vmm/plan/engine.h"

#define CR4_VMXE 0x2000u
#define CR4_SMXE 0x4000u
#define CR4_FSGSBASE 0x10000u
#define CR4_OSXSAVE 0x40000u
#define CR4_KL 0x80000u
#define CR4_PKE 0x400000u
#define CR4_CET 0x800000u
#define CR4_UINTR 0x2000000u
#define EFER_SCE 1u
#define EFER_SVME 0x1000u

#define LEAF_FEATURES 1
#define LEAF_EXTENDED 0x80000001
#define EDX_SEP 11
#define EDX_SYSCALL 11

enum cpuid_register { EAX, EBX, ECX, EDX };

struct isa_row {
	ZydisISASet set;
	uint32_t leaf, subleaf;
	enum cpuid_register reg;
	unsigned bit;
	uint32_t cr4, efer;
};

static const struct isa_row rows[] = {
#define ISA(set, leaf, subleaf, reg, bit, cr4, efer)                                               \
	{ZYDIS_ISA_SET_##set, leaf, subleaf, reg, bit, cr4, efer},
#include "vmm/emulate/isa.def"
#undef ISA
};

static bool cpuid_bit(const struct isa *isa, uint32_t leaf, uint32_t subleaf,
		      enum cpuid_register reg, unsigned bit)
{
	const struct kvm_cpuid_entry2 *entry = cpuid_leaf(isa->cpuid, leaf, subleaf);
	const uint32_t registers[] = {entry->eax, entry->ebx, entry->ecx, entry->edx};

	return registers[reg] >> bit & 1;
}

static bool has_set(const struct isa *isa, ZydisISASet set)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].set == set)
			return cpuid_bit(isa, rows[i].leaf, rows[i].subleaf, rows[i].reg,
					 rows[i].bit) &&
			       (isa->cr4 & rows[i].cr4) == rows[i].cr4 &&
			       (isa->efer & rows[i].efer) == rows[i].efer;
	return true;
}

/* Intel has it in 64-bit mode only (Intel SDM vol. 2B, SYSCALL; AMD APM vol. 3, SYSCALL). */
static bool has_syscall(const struct isa *isa, const struct cpu_mode *mode)
{
	return isa->efer & EFER_SCE && cpuid_bit(isa, LEAF_EXTENDED, 0, EDX, EDX_SYSCALL) &&
	       (isa->amd || mode->code == WIDTH_64);
}

/* AMD has it outside long mode only (AMD APM vol. 3, SYSENTER). */
static bool has_sysenter(const struct isa *isa, const struct cpu_mode *mode)
{
	return cpuid_bit(isa, LEAF_FEATURES, 0, EDX, EDX_SEP) && (!isa->amd || mode->legacy);
}

bool isa_has(const struct isa *isa, const struct cpu_mode *mode, const struct insn *insn)
{
	switch (insn->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_RSM: /* outside system management mode */
		return false;
	case ZYDIS_MNEMONIC_SYSCALL:
	case ZYDIS_MNEMONIC_SYSRET:
		return has_syscall(isa, mode);
	case ZYDIS_MNEMONIC_SYSENTER:
	case ZYDIS_MNEMONIC_SYSEXIT:
		return has_sysenter(isa, mode);
	case ZYDIS_MNEMONIC_TZCNT: /* else BSF */
	case ZYDIS_MNEMONIC_ENDBR32: /* else NOPs */
	case ZYDIS_MNEMONIC_ENDBR64:
	case ZYDIS_MNEMONIC_RDSSPD:
	case ZYDIS_MNEMONIC_RDSSPQ:
		return true;
	default:
		break;
	}
	switch (insn->decoded.meta.isa_set) {
	case ZYDIS_ISA_SET_SVM:
	case ZYDIS_ISA_SET_VTX:
	case ZYDIS_ISA_SET_SMX:
		return isa->virtualization && has_set(isa, insn->decoded.meta.isa_set);
	case ZYDIS_ISA_SET_LAHF: /* only there it is an extension */
		return mode->code != WIDTH_64 || has_set(isa, ZYDIS_ISA_SET_LAHF);
	case ZYDIS_ISA_SET_VMFUNC: /* where VM functions exist, somebody else has carried it out */
	case ZYDIS_ISA_SET_TDX:
	case ZYDIS_ISA_SET_KNCE:
	case ZYDIS_ISA_SET_KNCJKBR:
	case ZYDIS_ISA_SET_KNCSTREAM:
	case ZYDIS_ISA_SET_KNCV:
	case ZYDIS_ISA_SET_KNC_MISC:
	case ZYDIS_ISA_SET_KNC_PF_HINT:
		return false;
	default:
		return has_set(isa, insn->decoded.meta.isa_set);
	}
}

struct isa isa_of(const struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	const struct vm *vm = vcpu->vm;

	return (struct isa){
		.cpuid = vm->host->cpuid,
		.virtualization = !engine_has_monitor(vm->plan->engine),
		.amd = strcmp(vm->host->vendor, "AuthenticAMD") == 0 ||
		       strcmp(vm->host->vendor, "HygonGenuine") == 0,
		.cr4 = sregs->cr4,
		.efer = sregs->efer,
	};
}
