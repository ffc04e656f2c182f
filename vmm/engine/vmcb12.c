/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/vmcb12.h"

#define CR0_PE_PG 0x80000001u
#define CR0_CD 0x40000000u
#define CR0_NW 0x20000000u
#define CR4_PAE 0x20u
#define RFLAGS_VM 0x20000u
#define PAGE_OFFSET UINT64_C(0xfff)

const struct vmcb12_row vmcb12_rows[] = {
#define FIELD(name, offset, width) {#name, offset, width},
#include "guestfw/relay/vmcb12.def"
#undef FIELD
};
const size_t vmcb12_row_count = sizeof(vmcb12_rows) / sizeof(vmcb12_rows[0]);

#define FIELD(name, offset, width)                                                                 \
	_Static_assert((offset) + (width) <= VMCB_SIZE && (offset) % (width) == 0 && (width) <= 8, #name);
#include "guestfw/relay/vmcb12.def"
#undef FIELD

/* Attributes are packed (AMD APM vol. 2, 15.5.1). */
static void set_attributes(struct kvm_segment *segment, uint64_t attributes)
{
	segment->type = attributes & 15;
	segment->s = attributes >> 4 & 1;
	segment->dpl = attributes >> 5 & 3;
	segment->present = attributes >> 7 & 1;
	segment->avl = attributes >> 8 & 1;
	segment->l = attributes >> 9 & 1;
	segment->db = attributes >> 10 & 1;
	segment->g = attributes >> 11 & 1;
	segment->unusable = !segment->present;
}

void vmcb12_sregs(const void *vmcb, struct kvm_sregs *sregs)
{
#define SEGMENT(name)                                                                              \
	sregs->name.base = vmcb_##name##_base(vmcb);                                               \
	sregs->name.limit = (uint32_t)vmcb_##name##_limit(vmcb);                                   \
	sregs->name.selector = (uint16_t)vmcb_##name##_selector(vmcb);                             \
	set_attributes(&sregs->name, vmcb_##name##_attrib(vmcb))
	SEGMENT(es);
	SEGMENT(cs);
	SEGMENT(ss);
	SEGMENT(ds);
#undef SEGMENT
	sregs->cr0 = vmcb_cr0(vmcb);
	sregs->cr3 = vmcb_cr3(vmcb);
	sregs->cr4 = vmcb_cr4(vmcb);
	sregs->efer = vmcb_efer(vmcb);
}

static bool runs_on_vmrun(uint64_t value)
{
	return value & VMCB_MISC2_VMRUN;
}

static bool is_not_zero(uint64_t value)
{
	return value != 0;
}

/* Anything else needs a feature that KVM does not emulate. */
static bool is_plain_flush(uint64_t value)
{
	return value == 0 || value == VMCB_TLB_FLUSH_ALL;
}

static bool is_paged(uint64_t cr0)
{
	return (cr0 & CR0_PE_PG) == CR0_PE_PG && cr0 >> 32 == 0 &&
	       (cr0 & CR0_CD || !(cr0 & CR0_NW));
}

static bool has_pae(uint64_t cr4)
{
	return cr4 & CR4_PAE;
}

static bool has_svme(uint64_t efer)
{
	return efer & EFER_SVME;
}

static bool is_not_vm86(uint64_t rflags)
{
	return !(rflags & RFLAGS_VM);
}

static bool is_32_bits(uint64_t value)
{
	return value >> 32 == 0;
}

#define ADDRESS_RULE "must be page-aligned and within the physical-address width"
#define FLUSH_RULE "must be 0 or 1"

/* Rules that need the physical-address width have no function. */
#define CHECKS(X)                                                                                  \
	X(intercept_misc2, runs_on_vmrun, "must intercept VMRUN")                                  \
	X(asid, is_not_zero, "must not be 0, which is the host's")                                 \
	X(tlb_ctl, is_plain_flush, FLUSH_RULE)                                                     \
	X(cr0, is_paged, "must have PE and PG, no NW without CD, and bits 63:32 clear")            \
	X(cr4, has_pae, "must have PAE, as the host is 64-bit")                                    \
	X(efer, has_svme, "must have SVME")                                                        \
	X(rflags, is_not_vm86, "must not have VM")                                                 \
	X(dr6, is_32_bits, "must have bits 63:32 clear")                                           \
	X(dr7, is_32_bits, "must have bits 63:32 clear")
#define ADDRESSES(X)                                                                               \
	X(msrpm_base_pa)                                                                           \
	X(iopm_base_pa)                                                                            \
	X(nested_cr3)                                                                              \
	X(cr3)

bool vmcb12_check(const struct vmcb12 *vmcb12, uint8_t maxphyaddr, struct vmcb12_fault *fault)
{
#define X(name, holds, rule)                                                                       \
	if (!holds(vmcb_##name(vmcb12->bytes))) {                                                  \
		*fault = (struct vmcb12_fault){#name, rule, vmcb_##name(vmcb12->bytes)};           \
		return false;                                                                      \
	}
	CHECKS(X)
#undef X
#define X(name)                                                                                    \
	if (vmcb_##name(vmcb12->bytes) & PAGE_OFFSET ||                                            \
	    vmcb_##name(vmcb12->bytes) >> maxphyaddr != 0) {                                       \
		*fault = (struct vmcb12_fault){#name, ADDRESS_RULE, vmcb_##name(vmcb12->bytes)};   \
		return false;                                                                      \
	}
	ADDRESSES(X)
#undef X
	return true;
}
