/* SPDX-License-Identifier: GPL-2.0-only */
/* How one VM of a run was configured, in words: VMs whose words differ have rows of their own. */
#ifndef VMM_PLAN_VM_PLAN_H
#define VMM_PLAN_VM_PLAN_H

#include "vmm/ledger/ledger.h"
#include "vmm/plan/plan.h"

#define VM_PLAN_TEXT_SIZE 512

/* The CR0 flags by who has them, and the services. */
void vm_plan_text(const struct plan *plan, unsigned vm, char text[VM_PLAN_TEXT_SIZE]);

/* Has a ledger say how its VMs were configured, and which operations are compared with which. */
void vm_plan_record(const struct plan *plan, struct ledger *ledger);

#endif
