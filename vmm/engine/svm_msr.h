/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSRs that show a guest of the engine svm what it does not have, or would break the relay. KVM hands
 * accesses to the VMM (KVM_CAP_X86_MSR_FILTER). The relay could have them too, but then KVM merges two
 * permission maps at each of its VMRUNs, which costs every exit a sixth more.
 */
#ifndef VMM_ENGINE_SVM_MSR_H
#define VMM_ENGINE_SVM_MSR_H

#include "guestfw/relay/vmcb.h"
#include "vmm/plan/svm_caps.h"
#include "vmm/vm/vm.h"

/* Asks KVM for the accesses. Returns 0 or a negative errno with the reason in `error`. */
int svm_msr_protect(struct vm *vm, struct error *error);

/* Answers one: EFER reads as if SVME were clear and keeps it when written; the others are not there. */
void svm_msr_answer(struct vcpu *vcpu);

#endif
