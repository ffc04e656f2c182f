/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/vmcb12.h"

#define CR0_PE_PG 0x80000001u
#define CR0_CD 0x40000000u
#define CR0_NW 0x20000000u
#define CR4_PAE 0x20u
#define RFLAGS_VM 0x20000u
#define ATTRIBUTE_PRESENT 0x80u

#define FIELD(name, offset, width)                                                                 \
	_Static_assert((offset) + (width) <= VMCB_SIZE && (offset) % (width) == 0 && (width) <= 8, #name);
#include "guestfw/relay/vmcb12.def"
#undef FIELD

/* Attributes are packed, and a segment that is not present cannot be used (AMD APM vol. 2, 15.5.1). */
static uint64_t rights_of(uint64_t attributes)
{
	return (attributes & 0xff) | (attributes & 0xf00) << 4 |
	       (attributes & ATTRIBUTE_PRESENT ? 0 : RIGHTS_UNUSABLE);
}

void vmcb12_sregs(const void *vmcb, struct kvm_sregs *sregs)
{
#define SEGMENT(name)                                                                              \
	sregs->name.base = vmcb_##name##_base(vmcb);                                               \
	sregs->name.limit = (uint32_t)vmcb_##name##_limit(vmcb);                                   \
	sregs->name.selector = (uint16_t)vmcb_##name##_selector(vmcb);                             \
	segment_set_rights(&sregs->name, rights_of(vmcb_##name##_attrib(vmcb)))
	SEGMENT(es);
	SEGMENT(cs);
	SEGMENT(ss);
	SEGMENT(ds);
#undef SEGMENT
	sregs->idt.base = vmcb_idtr_base(vmcb);
	sregs->idt.limit = (uint16_t)vmcb_idtr_limit(vmcb);
	sregs->cr0 = vmcb_cr0(vmcb);
	sregs->cr3 = vmcb_cr3(vmcb);
	sregs->cr4 = vmcb_cr4(vmcb);
	sregs->efer = vmcb_efer(vmcb);
}

static uint64_t attributes_of(const struct kvm_segment *segment)
{
	return segment->type | segment->s << 4 | segment->dpl << 5 | segment->present << 7 |
	       segment->avl << 8 | segment->l << 9 | segment->db << 10 | segment->g << 11;
}

void vmcb12_set_sregs(void *vmcb, const struct kvm_sregs *sregs)
{
#define SEGMENT(name, segment)                                                                     \
	vmcb_set_##name##_base(vmcb, (segment).base);                                              \
	vmcb_set_##name##_limit(vmcb, (segment).limit);                                            \
	vmcb_set_##name##_selector(vmcb, (segment).selector);                                      \
	vmcb_set_##name##_attrib(vmcb, attributes_of(&(segment)))
	SEGMENT(es, sregs->es);
	SEGMENT(cs, sregs->cs);
	SEGMENT(ss, sregs->ss);
	SEGMENT(ds, sregs->ds);
	SEGMENT(fs, sregs->fs);
	SEGMENT(gs, sregs->gs);
	SEGMENT(ldtr, sregs->ldt);
	SEGMENT(tr, sregs->tr);
#undef SEGMENT
	vmcb_set_gdtr_base(vmcb, sregs->gdt.base);
	vmcb_set_gdtr_limit(vmcb, sregs->gdt.limit);
	vmcb_set_idtr_base(vmcb, sregs->idt.base);
	vmcb_set_idtr_limit(vmcb, sregs->idt.limit);
	vmcb_set_cr0(vmcb, sregs->cr0);
	vmcb_set_cr3(vmcb, sregs->cr3);
	vmcb_set_cr4(vmcb, sregs->cr4);
	vmcb_set_efer(vmcb, sregs->efer);
}

static bool is_paged(uint64_t cr0)
{
	return (cr0 & CR0_PE_PG) == CR0_PE_PG && cr0 >> 32 == 0 &&
	       (cr0 & CR0_CD || !(cr0 & CR0_NW));
}

#define PAGE_RULE "must be page-aligned and within the physical-address width"
#define UPPER_RULE "must have bits 63:32 clear"

/* CHECK(field, what holds for its value, how that is said). Any other flush needs a feature that KVM does
 * not emulate. */
#define CHECKS(X)                                                                                  \
	X(intercept_misc2, value & VMCB_MISC2_VMRUN, "must intercept VMRUN")                       \
	X(asid, value != 0, "must not be 0, which is the host's")                                  \
	X(tlb_ctl, value == 0 || value == VMCB_TLB_FLUSH_ALL, "must be 0 or 1")                    \
	X(cr0, is_paged(value), "must have PE and PG, no NW without CD, and bits 63:32 clear")     \
	X(cr4, value & CR4_PAE, "must have PAE, as the host is 64-bit")                            \
	X(efer, value & EFER_SVME, "must have SVME")                                               \
	X(rflags, !(value & RFLAGS_VM), "must not have VM")                                        \
	X(dr6, value >> 32 == 0, UPPER_RULE)                                                       \
	X(dr7, value >> 32 == 0, UPPER_RULE)                                                       \
	X(msrpm_base_pa, control_is_page(value, maxphyaddr), PAGE_RULE)                            \
	X(iopm_base_pa, control_is_page(value, maxphyaddr), PAGE_RULE)                             \
	X(nested_cr3, control_is_page(value, maxphyaddr), PAGE_RULE)                               \
	X(cr3, control_is_page(value, maxphyaddr), PAGE_RULE)

bool vmcb12_check(const struct vmcb12 *vmcb12, uint8_t maxphyaddr, struct control_fault *fault)
{
	uint64_t value;

#define X(name, holds, rule)                                                                       \
	value = vmcb_##name(vmcb12->bytes);                                                        \
	if (!(holds)) {                                                                            \
		*fault = (struct control_fault){#name, rule, value};                               \
		return false;                                                                      \
	}
	CHECKS(X)
#undef X
	return true;
}
