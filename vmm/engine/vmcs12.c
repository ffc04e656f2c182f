/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/vmcs12.h"

#include <string.h>

#include "views/eptp.h"

#define CR0_PE_PG 0x80000001u
#define CR4_PAE 0x20u
#define EFER_LMA_LME 0x500u
#define SELECTOR_RPL_TI 7u
#define PAGE_OFFSET UINT64_C(0xfff)

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

/* Access rights (Intel SDM vol. 3C, 25.4.1). */
static void set_rights(struct kvm_segment *segment, uint64_t rights)
{
	segment->type = rights & 15;
	segment->s = rights >> 4 & 1;
	segment->dpl = rights >> 5 & 3;
	segment->present = rights >> 7 & 1;
	segment->avl = rights >> 12 & 1;
	segment->l = rights >> 13 & 1;
	segment->db = rights >> 14 & 1;
	segment->g = rights >> 15 & 1;
	segment->unusable = rights >> 16 & 1;
}

void vmcs12_sregs(const struct vmcs12 *vmcs12, struct kvm_sregs *ret_sregs)
{
	*ret_sregs = (struct kvm_sregs){0};
#define SEGMENT(name)                                                                              \
	ret_sregs->name.base = vmcs12_get(vmcs12, VMCS12_guest_##name##_base);                     \
	ret_sregs->name.limit = (uint32_t)vmcs12_get(vmcs12, VMCS12_guest_##name##_limit);         \
	ret_sregs->name.selector = (uint16_t)vmcs12_get(vmcs12, VMCS12_guest_##name##_selector);   \
	set_rights(&ret_sregs->name, vmcs12_get(vmcs12, VMCS12_guest_##name##_ar_bytes))
	SEGMENT(es);
	SEGMENT(cs);
	SEGMENT(ss);
	SEGMENT(ds);
	SEGMENT(fs);
	SEGMENT(gs);
#undef SEGMENT
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

/* One check: the fields it is about, and whether its rule holds. */
typedef bool check_fn(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value);

static bool in_word(const struct vmx_caps *caps, enum vmx_control_word word, uint64_t value)
{
	return (value & vmx_allowed0(caps, word)) == vmx_allowed0(caps, word) &&
	       (value & ~(uint64_t)vmx_allowed1(caps, word)) == 0;
}

#define WORD_CHECK(word)                                                                           \
	static bool check_##word(const struct vmcs12 *vmcs12, const struct vmx_caps *caps,         \
				 uint64_t value)                                                   \
	{                                                                                          \
		(void)vmcs12;                                                                      \
		return in_word(caps, VMX_WORD_##word, value);                                      \
	}
WORD_CHECK(pin)
WORD_CHECK(primary)
WORD_CHECK(secondary)
WORD_CHECK(exit)
WORD_CHECK(entry)

static bool legal_page(const struct vmx_caps *caps, uint64_t value)
{
	return (value & PAGE_OFFSET) == 0 && value >> caps->maxphyaddr == 0;
}

static bool check_page(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	return legal_page(caps, value);
}

static bool check_eptp(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	return eptp_check(value, &caps->paging) == EPTP_VALID;
}

static bool check_vpid(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)caps;
	return value != 0 ||
	       !(vmcs12_get(vmcs12, VMCS12_secondary_vm_exec_control) & VMX_VPID);
}

static bool check_vmfunc(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	return (value & ~caps->vmfunc) == 0;
}

static bool fixed(uint64_t value, uint64_t fixed0, uint64_t fixed1)
{
	return (value & fixed0) == fixed0 && (value & ~fixed1) == 0;
}

static bool check_cr0(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	return fixed(value, caps->cr0_fixed0, caps->cr0_fixed1) &&
	       (value & CR0_PE_PG) == CR0_PE_PG;
}

static bool check_cr4(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	return fixed(value, caps->cr4_fixed0, caps->cr4_fixed1) && value & CR4_PAE;
}

static bool check_cr3(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	return value >> caps->maxphyaddr == 0;
}

static bool check_efer(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	(void)caps;
	return (value & EFER_LMA_LME) == EFER_LMA_LME;
}

static bool check_selector(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	(void)caps;
	return (value & SELECTOR_RPL_TI) == 0;
}

static bool check_nonzero_selector(const struct vmcs12 *vmcs12, const struct vmx_caps *caps,
				   uint64_t value)
{
	return value != 0 && check_selector(vmcs12, caps, value);
}

static bool check_canonical(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	(void)caps;
	return (uint64_t)((int64_t)(value << 16) >> 16) == value;
}

static bool check_link(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	(void)caps;
	return value == UINT64_MAX;
}

static bool check_activity(const struct vmcs12 *vmcs12, const struct vmx_caps *caps, uint64_t value)
{
	(void)vmcs12;
	(void)caps;
	return value == 0 || value == 1 || value == 3;
}

#define CONTROL_RULE "must have the bits that are always 1 and only those that the capability MSR allows"
#define PAGE_RULE "must be page-aligned and within the physical-address width"
#define FIXED_RULE "must agree with the fixed bits of the CR0 and CR4 capability MSRs, and be paged"
#define SELECTOR_RULE "must have RPL and TI 0"
#define CANONICAL_RULE "must be canonical"

static const struct {
	enum vmcs12_field field;
	check_fn *holds;
	const char *rule;
} checks[] = {
	{VMCS12_pin_based_vm_exec_control, check_pin, CONTROL_RULE},
	{VMCS12_cpu_based_vm_exec_control, check_primary, CONTROL_RULE},
	{VMCS12_secondary_vm_exec_control, check_secondary, CONTROL_RULE},
	{VMCS12_vm_exit_controls, check_exit, CONTROL_RULE},
	{VMCS12_vm_entry_controls, check_entry, CONTROL_RULE},
	{VMCS12_msr_bitmap, check_page, PAGE_RULE},
	{VMCS12_virtual_processor_id, check_vpid, "must not be 0 with \"enable VPID\""},
	{VMCS12_ept_pointer, check_eptp, "must be a valid EPTP"},
	{VMCS12_vm_function_control, check_vmfunc, "may only have bits of IA32_VMX_VMFUNC"},
	{VMCS12_eptp_list_address, check_page, PAGE_RULE},
	{VMCS12_host_cr0, check_cr0, FIXED_RULE},
	{VMCS12_host_cr4, check_cr4, FIXED_RULE},
	{VMCS12_host_cr3, check_cr3, "must be within the physical-address width"},
	{VMCS12_host_ia32_efer, check_efer, "must have LMA and LME, as the host is 64-bit"},
	{VMCS12_host_cs_selector, check_nonzero_selector, "must not be 0, and " SELECTOR_RULE},
	{VMCS12_host_ss_selector, check_selector, SELECTOR_RULE},
	{VMCS12_host_ds_selector, check_selector, SELECTOR_RULE},
	{VMCS12_host_es_selector, check_selector, SELECTOR_RULE},
	{VMCS12_host_fs_selector, check_selector, SELECTOR_RULE},
	{VMCS12_host_gs_selector, check_selector, SELECTOR_RULE},
	{VMCS12_host_tr_selector, check_nonzero_selector, "must not be 0, and " SELECTOR_RULE},
	{VMCS12_host_fs_base, check_canonical, CANONICAL_RULE},
	{VMCS12_host_gs_base, check_canonical, CANONICAL_RULE},
	{VMCS12_host_tr_base, check_canonical, CANONICAL_RULE},
	{VMCS12_host_gdtr_base, check_canonical, CANONICAL_RULE},
	{VMCS12_host_idtr_base, check_canonical, CANONICAL_RULE},
	{VMCS12_host_rip, check_canonical, CANONICAL_RULE},
	{VMCS12_guest_cr0, check_cr0, FIXED_RULE},
	{VMCS12_guest_cr4, check_cr4, FIXED_RULE},
	{VMCS12_guest_ia32_efer, check_efer, "must have LMA and LME, as the guest is 64-bit"},
	{VMCS12_vmcs_link_pointer, check_link, "must be all ones"},
	{VMCS12_guest_activity_state, check_activity, "must be active, HLT or wait-for-SIPI"},
};

bool vmcs12_check(const struct vmcs12 *vmcs12, const struct vmx_caps *caps,
		  struct vmcs12_fault *fault)
{
	uint32_t revision;

	memcpy(&revision, vmcs12->bytes, sizeof(revision));
	if (revision != VMCS12_REVISION) {
		*fault = (struct vmcs12_fault){"revision", "must be the one that KVM knows", revision};
		return false;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		uint64_t value = vmcs12_get(vmcs12, checks[i].field);

		if (checks[i].holds(vmcs12, caps, value))
			continue;
		*fault = (struct vmcs12_fault){vmcs12_rows[checks[i].field].name, checks[i].rule,
					       value};
		return false;
	}
	return true;
}
