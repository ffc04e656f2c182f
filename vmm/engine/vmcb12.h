/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control structure of a nested SVM guest (vmcb12), as KVM_SET_NESTED_STATE takes it and VMRUN
 * reads it. The fields come from vmcb12.def; guestfw/relay/vmcb.h has an accessor for each.
 */
#ifndef VMM_ENGINE_VMCB12_H
#define VMM_ENGINE_VMCB12_H

#include "guestfw/relay/vmcb.h"
#include "vmm/engine/nested_state.h"

struct vmcb12 {
	uint8_t bytes[VMCB_SIZE];
};

_Static_assert(VMCB_SIZE == CONTROL_SIZE, "as large as a vmcs12");

/* Puts what VMRUN loads of ES, CS, SS, DS, CR0, CR3, CR4 and EFER there, in KVM's words. The rest stays. */
void vmcb12_sregs(const void *vmcb, struct kvm_sregs *sregs);

/* The same the other way round, and what VMLOAD loads of FS, GS, LDTR and TR. */
void vmcb12_set_sregs(void *vmcb, const struct kvm_sregs *sregs);

/*
 * The checks that KVM makes on such a state, whose control area is the guest's and whose save area is
 * what #VMEXIT loads (arch/x86/kvm/svm/nested.c, svm_set_nested_state and the functions it calls; AMD
 * APM vol. 2, 15.5.1). Returns true if all hold; otherwise the first that does not is in `fault`.
 */
bool vmcb12_check(const struct vmcb12 *vmcb12, uint8_t maxphyaddr, struct control_fault *fault);

#endif
