/* SPDX-License-Identifier: GPL-2.0-only */
/* What a ledger begins with. */
#ifndef VMM_OBSERVE_RUN_DESCRIPTION_H
#define VMM_OBSERVE_RUN_DESCRIPTION_H

#include "vmm/ledger/ledger.h"
#include "vmm/plan/plan.h"

/* Says how the guest runs and on what, and what its operations and views are called. */
void run_describe(const struct plan *plan, const struct host *host, struct ledger *ledger);

#endif
