/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/vmcs12.h"

#include <string.h>

#include "views/eptp.h"

#define CR0_PE_PG 0x80000001u
#define CR4_PAE 0x20u
#define EFER_LMA_LME 0x500u
#define SELECTOR_RPL_TI 7u

const struct vmcs12_row vmcs12_rows[VMCS12_FIELD_COUNT] = {
#define FIELD(name, encoding, offset, width) {#name, encoding, offset, width},
#include "guestfw/relay/vmcs12.def"
#undef FIELD
};

#define FIELD(name, encoding, offset, width)                                                       \
	_Static_assert((offset) + (width) <= VMCS12_SIZE && (offset) % (width) == 0, #name);
#include "guestfw/relay/vmcs12.def"
#undef FIELD

uint64_t vmcs12_get(const struct vmcs12 *vmcs12, enum vmcs12_field field)
{
	uint64_t value = 0;

	memcpy(&value, vmcs12->bytes + vmcs12_rows[field].offset, vmcs12_rows[field].width);
	return value;
}

void vmcs12_set(struct vmcs12 *vmcs12, enum vmcs12_field field, uint64_t value)
{
	memcpy(vmcs12->bytes + vmcs12_rows[field].offset, &value, vmcs12_rows[field].width);
}

void vmcs12_sregs(const struct vmcs12 *vmcs12, struct kvm_sregs *ret_sregs)
{
	*ret_sregs = (struct kvm_sregs){0};
#define SEGMENT(name)                                                                              \
	ret_sregs->name.base = vmcs12_get(vmcs12, VMCS12_guest_##name##_base);                     \
	ret_sregs->name.limit = (uint32_t)vmcs12_get(vmcs12, VMCS12_guest_##name##_limit);         \
	ret_sregs->name.selector = (uint16_t)vmcs12_get(vmcs12, VMCS12_guest_##name##_selector);   \
	segment_set_rights(&ret_sregs->name, vmcs12_get(vmcs12, VMCS12_guest_##name##_ar_bytes))
	SEGMENT(es);
	SEGMENT(cs);
	SEGMENT(ss);
	SEGMENT(ds);
	SEGMENT(fs);
	SEGMENT(gs);
#undef SEGMENT
	ret_sregs->idt.base = vmcs12_get(vmcs12, VMCS12_guest_idtr_base);
	ret_sregs->idt.limit = (uint16_t)vmcs12_get(vmcs12, VMCS12_guest_idtr_limit);
	ret_sregs->cr0 = vmcs12_get(vmcs12, VMCS12_guest_cr0);
	ret_sregs->cr3 = vmcs12_get(vmcs12, VMCS12_guest_cr3);
	ret_sregs->cr4 = vmcs12_get(vmcs12, VMCS12_guest_cr4);
	ret_sregs->efer = vmcs12_get(vmcs12, VMCS12_guest_ia32_efer);
}

void vmcs12_init(struct vmcs12 *vmcs12)
{
	uint32_t revision = VMCS12_REVISION;

	memset(vmcs12, 0, sizeof(*vmcs12));
	memcpy(vmcs12->bytes, &revision, sizeof(revision));
}

static bool in_word(const struct vmx_caps *caps, enum vmx_control_word word, uint64_t value)
{
	return (value & vmx_allowed0(caps, word)) == vmx_allowed0(caps, word) &&
	       (value & ~(uint64_t)vmx_allowed1(caps, word)) == 0;
}

static bool is_paged(const struct vmx_caps *caps, uint64_t cr0)
{
	return (cr0 & caps->cr0_fixed0) == caps->cr0_fixed0 && (cr0 & ~caps->cr0_fixed1) == 0 &&
	       (cr0 & CR0_PE_PG) == CR0_PE_PG;
}

static bool has_pae(const struct vmx_caps *caps, uint64_t cr4)
{
	return (cr4 & caps->cr4_fixed0) == caps->cr4_fixed0 && (cr4 & ~caps->cr4_fixed1) == 0 &&
	       cr4 & CR4_PAE;
}

static bool is_64_bit(uint64_t efer)
{
	return (efer & EFER_LMA_LME) == EFER_LMA_LME;
}

static bool is_selector(uint64_t value)
{
	return (value & SELECTOR_RPL_TI) == 0;
}

static bool is_canonical(uint64_t value)
{
	return (uint64_t)((int64_t)(value << 16) >> 16) == value;
}

#define CONTROL_RULE "must have the bits that are always 1 and only those that the capability MSR allows"
#define PAGE_RULE "must be page-aligned and within the physical-address width"
#define FIXED_RULE "must agree with the fixed bits of the CR0 and CR4 capability MSRs, and be paged"
#define SELECTOR_RULE "must have RPL and TI 0"
#define NONZERO_RULE "must not be 0, and " SELECTOR_RULE
#define CANONICAL_RULE "must be canonical"

/* CHECK(field, what holds for its value, how that is said). */
#define CHECKS(X)                                                                                  \
	X(pin_based_vm_exec_control, in_word(caps, VMX_WORD_pin, value), CONTROL_RULE)             \
	X(cpu_based_vm_exec_control, in_word(caps, VMX_WORD_primary, value), CONTROL_RULE)         \
	X(secondary_vm_exec_control, in_word(caps, VMX_WORD_secondary, value), CONTROL_RULE)       \
	X(vm_exit_controls, in_word(caps, VMX_WORD_exit, value), CONTROL_RULE)                     \
	X(vm_entry_controls, in_word(caps, VMX_WORD_entry, value), CONTROL_RULE)                   \
	X(msr_bitmap, control_is_page(value, caps->maxphyaddr), PAGE_RULE)                         \
	X(virtual_processor_id, value != 0 || !(secondary & VMX_VPID),                             \
	  "must not be 0 with \"enable VPID\"")                                                    \
	X(ept_pointer, eptp_check(value, &caps->paging) == EPTP_VALID, "must be a valid EPTP")     \
	X(vm_function_control, (value & ~caps->vmfunc) == 0,                                       \
	  "may only have bits of IA32_VMX_VMFUNC")                                                 \
	X(eptp_list_address, control_is_page(value, caps->maxphyaddr), PAGE_RULE)                  \
	X(host_cr0, is_paged(caps, value), FIXED_RULE)                                             \
	X(host_cr4, has_pae(caps, value), FIXED_RULE)                                              \
	X(host_cr3, value >> caps->maxphyaddr == 0, "must be within the physical-address width")   \
	X(host_ia32_efer, is_64_bit(value), "must have LMA and LME, as the host is 64-bit")        \
	X(host_cs_selector, value != 0 && is_selector(value), NONZERO_RULE)                        \
	X(host_ss_selector, is_selector(value), SELECTOR_RULE)                                     \
	X(host_ds_selector, is_selector(value), SELECTOR_RULE)                                     \
	X(host_es_selector, is_selector(value), SELECTOR_RULE)                                     \
	X(host_fs_selector, is_selector(value), SELECTOR_RULE)                                     \
	X(host_gs_selector, is_selector(value), SELECTOR_RULE)                                     \
	X(host_tr_selector, value != 0 && is_selector(value), NONZERO_RULE)                        \
	X(host_fs_base, is_canonical(value), CANONICAL_RULE)                                       \
	X(host_gs_base, is_canonical(value), CANONICAL_RULE)                                       \
	X(host_tr_base, is_canonical(value), CANONICAL_RULE)                                       \
	X(host_gdtr_base, is_canonical(value), CANONICAL_RULE)                                     \
	X(host_idtr_base, is_canonical(value), CANONICAL_RULE)                                     \
	X(host_rip, is_canonical(value), CANONICAL_RULE)                                           \
	X(guest_cr0, is_paged(caps, value), FIXED_RULE)                                            \
	X(guest_cr4, has_pae(caps, value), FIXED_RULE)                                             \
	X(guest_ia32_efer, is_64_bit(value), "must have LMA and LME, as the guest is 64-bit")      \
	X(vmcs_link_pointer, value == UINT64_MAX, "must be all ones")                              \
	X(guest_activity_state, value == 0 || value == 1 || value == 3,                            \
	  "must be active, HLT or wait-for-SIPI")

bool vmcs12_check(const struct vmcs12 *vmcs12, const struct vmx_caps *caps,
		  struct control_fault *fault)
{
	const uint64_t secondary = vmcs12_get(vmcs12, VMCS12_secondary_vm_exec_control);
	uint32_t revision;
	uint64_t value;

	memcpy(&revision, vmcs12->bytes, sizeof(revision));
	if (revision != VMCS12_REVISION) {
		*fault = (struct control_fault){"revision", "must be the one that KVM knows", revision};
		return false;
	}
#define X(name, holds, rule)                                                                       \
	value = vmcs12_get(vmcs12, VMCS12_##name);                                                 \
	if (!(holds)) {                                                                            \
		*fault = (struct control_fault){#name, rule, value};                               \
		return false;                                                                      \
	}
	CHECKS(X)
#undef X
	return true;
}
