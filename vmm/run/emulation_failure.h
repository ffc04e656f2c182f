/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that KVM could not interpret: the VMM carries out two that KVM does not know, and raises #UD for those
 * that the guest's processor does not have. */
#ifndef VMM_RUN_EMULATION_FAILURE_H
#define VMM_RUN_EMULATION_FAILURE_H

#include "vmm/vm/vm.h"

/* The instruction at an exit that KVM could not interpret, as far as KVM has fetched it. Returns true if
 * the VMM carried it out, or raised the exception that the guest's processor would. */
bool emulation_failure_complete(struct vcpu *vcpu, const uint8_t *bytes, unsigned length);

/* The same for one that exists and that nobody can carry out: code at CPL 3 does not end the VM by it, but
 * gets #UD, as from a KVM that does not report what it cannot interpret. Returns false at other CPLs. */
bool emulation_failure_for_user(struct vcpu *vcpu);

/* Says what nobody can carry out: the instruction, if there is one, its bytes, and whose KVM does not know it. */
void emulation_failure_describe(struct vcpu *vcpu, const uint8_t *bytes, unsigned length, char *text, size_t size);

#endif
