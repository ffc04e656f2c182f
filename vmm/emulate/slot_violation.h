/* SPDX-License-Identifier: GPL-2.0-only */
/* Violations in the engine flat, where a page that a view withholds has no memory slot, or one that is
 * read-only. */
#ifndef VMM_EMULATE_SLOT_VIOLATION_H
#define VMM_EMULATE_SLOT_VIOLATION_H

#include "vmm/vm/vm.h"

/* An MMIO exit whose address is guest memory. */
void slot_violation_access(struct vcpu *vcpu);

/* KVM could not interpret what is at RIP. Returns whether that is because the view shows no page there, or
 * no next page for the rest of the instruction: then it has been answered. */
bool slot_violation_fetch(struct vcpu *vcpu);

#endif
