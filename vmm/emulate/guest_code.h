/* SPDX-License-Identifier: GPL-2.0-only */
/* The code that a guest has at an address. */
#ifndef VMM_EMULATE_GUEST_CODE_H
#define VMM_EMULATE_GUEST_CODE_H

#include <stdbool.h>

#include "vmm/ledger/record.h"

/* A code_fetch_fn: reads the code around record->rip through the guest's page tables and the active view as they are
 * now; if it may be the monitor's, that is looked at first. `opaque` is the struct vcpu. */
void guest_code_fetch(void *opaque, bool outer, struct record_code *record);

#endif
