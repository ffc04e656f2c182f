/* SPDX-License-Identifier: GPL-2.0-only */
/* Access to the fields of a VMCB by name: vmcb_NAME() reads, vmcb_set_NAME() writes. The relay and the
 * VMM have the same ones, from one table. */
#ifndef SIDESTEP_VMCB_H
#define SIDESTEP_VMCB_H

#include <stdbool.h>
#include <stdint.h>

#define VMCB_SIZE 4096
#define VMCB_SAVE 0x400

#define FIELD(name, offset, width)                                                                 \
	static inline uint64_t vmcb_##name(const void *vmcb)                                       \
	{                                                                                          \
		uint64_t value = 0;                                                                \
                                                                                                   \
		__builtin_memcpy(&value, (const uint8_t *)vmcb + (offset), width);                 \
		return value;                                                                      \
	}                                                                                          \
	static inline void vmcb_set_##name(void *vmcb, uint64_t value)                             \
	{                                                                                          \
		__builtin_memcpy((uint8_t *)vmcb + (offset), &value, width);                       \
	}
#include "guestfw/relay/vmcb12.def"
#undef FIELD

/* Intercepts (AMD APM vol. 2, appendix B, table B-1). */
#define VMCB_CR0_READ (1u << 0)
#define VMCB_CR0_WRITE (1u << 16)
#define VMCB_CR4_READ (1u << 4)
#define VMCB_CR4_WRITE (1u << 20)
#define VMCB_CR8_READ (1u << 8)
#define VMCB_CR8_WRITE (1u << 24)
#define VMCB_EXCEPTION_UD (1u << 6)
#define VMCB_MISC1_NMI (1u << 1)
#define VMCB_MISC1_CPUID (1u << 18)
#define VMCB_MISC1_INVLPGA (1u << 26)
#define VMCB_MISC1_MSR (1u << 28)
#define VMCB_MISC1_SHUTDOWN (1u << 31)
#define VMCB_MISC2_VMRUN (1u << 0)
#define VMCB_MISC2_VMMCALL (1u << 1)
#define VMCB_MISC2_VMLOAD (1u << 2)
#define VMCB_MISC2_VMSAVE (1u << 3)
#define VMCB_MISC2_STGI (1u << 4)
#define VMCB_MISC2_CLGI (1u << 5)
#define VMCB_MISC2_SKINIT (1u << 6)

#define VMCB_NESTED_PAGING 1u
#define VMCB_TLB_FLUSH_ALL 1u

/* #VMEXIT codes, lower half (AMD APM vol. 2, appendix C). */
#define VMEXIT_CR0_READ 0x00
#define VMEXIT_CR0_WRITE 0x10
#define VMEXIT_CR4_READ 0x04
#define VMEXIT_CR4_WRITE 0x14
#define VMEXIT_CR8_READ 0x08
#define VMEXIT_CR8_WRITE 0x18
#define VMEXIT_EXCEPTION_UD 0x46
#define VMEXIT_INTERRUPT 0x60
#define VMEXIT_NMI 0x61
#define VMEXIT_CPUID 0x72
#define VMEXIT_INVLPGA 0x7a
#define VMEXIT_MSR 0x7c
#define VMEXIT_SHUTDOWN 0x7f
#define VMEXIT_VMRUN 0x80
#define VMEXIT_VMMCALL 0x81
#define VMEXIT_VMLOAD 0x82
#define VMEXIT_VMSAVE 0x83
#define VMEXIT_STGI 0x84
#define VMEXIT_CLGI 0x85
#define VMEXIT_SKINIT 0x86
#define VMEXIT_NPF 0x400
#define VMEXIT_INVALID 0xffffffff

#define EFER_SCE 0x1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_LONG_MODE 0x500u
#define EFER_NXE 0x800u
#define EFER_SVME 0x1000u

/* What EFER becomes when the guest writes `wanted`. Returns false if it must see #GP: in long mode only SCE and
 * NXE can change, else LME too, which the processor keeps from changing while paging is on (AMD APM vol. 2, 3.1.7). */
static inline bool svm_msr_efer(uint64_t efer, uint64_t wanted, uint64_t *ret_efer)
{
	uint64_t changed = (wanted | EFER_SVME) ^ efer;
	uint64_t free = EFER_SCE | EFER_NXE | (efer & EFER_LMA ? 0 : EFER_LME);

	if (wanted & EFER_SVME || changed & ~free)
		return false;
	*ret_efer = wanted | EFER_SVME;
	return true;
}

#endif
