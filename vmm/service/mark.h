/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations that a guest without a catalogue names while it runs (guestfw/abi.h, SS_PORT_MARK). */
#ifndef VMM_SERVICE_MARK_H
#define VMM_SERVICE_MARK_H

#include "vmm/vm/vm.h"

/* Gives the VM its port; none to a guest that has a catalogue. Returns 0 or a negative errno. */
int mark_attach(struct vm *vm);

/* The vCPU runs no more: what it was doing has ended. */
void mark_finish(struct vcpu *vcpu);

#endif
