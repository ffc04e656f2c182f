/* SPDX-License-Identifier: GPL-2.0-only */
/* What SS_REQUEST_SETUP puts in place for each operation, computed before there is a computer. */
#ifndef VMM_BARE_BARE_SETUP_H
#define VMM_BARE_BARE_SETUP_H

#include "guestfw/bare/plan.h"
#include "vmm/vm/vm.h"

/* Fills the setups of a vCPU that is prepared: that of none, of every operation of the image and, behind them, if
 * `programs` is set, those of random programs, BARE_PROGRAM_SETUPS. Returns how many fields of the control structure each
 * writes, or -E2BIG. */
int bare_setup_all(struct vcpu *vcpu, bool programs, struct bare_setup *setups);

#endif
