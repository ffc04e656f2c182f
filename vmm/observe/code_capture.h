/* SPDX-License-Identifier: GPL-2.0-only */
/* The code around the addresses at which a guest exits, for the ledger. */
#ifndef VMM_OBSERVE_CODE_CAPTURE_H
#define VMM_OBSERVE_CODE_CAPTURE_H

#include "vmm/vm/vm.h"

/* More addresses than this of one vCPU are recorded without their code: a guest may have any number. */
#define CODE_CAPTURES_MAX 4096

/* Before the vCPU runs, if a ledger is kept: makes room for the addresses. Returns 0 or -ENOMEM. */
int code_capture_init(struct vcpu *vcpu);

/* Appends the code around `rip` to the ledger, if one is kept, the first time that this vCPU exits
 * there. It is read through the guest's page tables and the active view as they are now. */
void code_capture(struct vcpu *vcpu, uint64_t rip);

#endif
