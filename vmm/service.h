/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests that a guest makes through the control port (guestfw/abi.h, SS_REQUESTS). */
#ifndef VMM_SERVICE_H
#define VMM_SERVICE_H

#include <stdint.h>

#include "vm.h"

/* Performs the request at a guest-physical address for vm->active. `opaque` is the VM. */
void service_request(void *opaque, uint32_t address);

/*
 * Carries out VMFUNC as the processor would, with EAX and ECX: switches the view, or decides that
 * it is refused. On return *ret_ud says that the guest must see #UD; otherwise *ret_rax is RAX after
 * the instruction. Returns 0, or a negative errno if the host failed.
 */
int view_function(struct vm *vm, uint32_t eax, uint32_t ecx, bool *ret_ud, uint64_t *ret_rax);

/* Adds a record to the vCPU's summary and to the ledger, if one is kept. */
void vcpu_record(struct vcpu *vcpu, struct record *record);

#endif
