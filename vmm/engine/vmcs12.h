/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's vmcs12, the control structure of a nested VMX guest, as KVM_SET_NESTED_STATE takes it. The
 * fields come from vmcs12.def.
 */
#ifndef VMM_ENGINE_VMCS12_H
#define VMM_ENGINE_VMCS12_H

#include "vmm/engine/nested_state.h"
#include "vmm/plan/vmx_caps.h"

#define VMCS12_SIZE CONTROL_SIZE

enum vmcs12_field {
#define FIELD(name, encoding, offset, width) VMCS12_##name,
#include "guestfw/relay/vmcs12.def"
#undef FIELD
	VMCS12_FIELD_COUNT
};

struct vmcs12_row {
	const char *name;
	uint32_t encoding;
	uint16_t offset, width;
};

extern const struct vmcs12_row vmcs12_rows[VMCS12_FIELD_COUNT];

struct vmcs12 {
	uint8_t bytes[VMCS12_SIZE];
};

uint64_t vmcs12_get(const struct vmcs12 *vmcs12, enum vmcs12_field field);
void vmcs12_set(struct vmcs12 *vmcs12, enum vmcs12_field field, uint64_t value);

/* Segments, CR0, CR3, CR4 and EFER of the guest, in KVM's words. The rest is zero. */
void vmcs12_sregs(const struct vmcs12 *vmcs12, struct kvm_sregs *ret_sregs);

/* Zeroes it and sets the revision. */
void vmcs12_init(struct vmcs12 *vmcs12);

/*
 * The checks of VM entry that KVM makes on such a state (Intel SDM vol. 3C, 27.2 and 27.3;
 * arch/x86/kvm/vmx/nested.c, nested_vmx_check_*), for the controls that sidestep uses. Returns true
 * if all hold; otherwise the first that does not is in `fault`.
 */
bool vmcs12_check(const struct vmcs12 *vmcs12, const struct vmx_caps *caps,
		  struct control_fault *fault);

#endif
