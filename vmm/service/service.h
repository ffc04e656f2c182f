/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests that a guest makes through the control port (guestfw/abi.h, SS_REQUESTS). */
#ifndef VMM_SERVICE_SERVICE_H
#define VMM_SERVICE_SERVICE_H

#include <stdint.h>

#include "vmm/vm/vm.h"

/* Performs the request at a guest-physical address for vm->active, made by a write to the control port.
 * `opaque` is the VM. */
void service_request(void *opaque, uint32_t address);

/*
 * The same for code at this CPL, which is known. Returns 0 if the request has a status, and else nothing
 * of it was performed and nothing written: -EPERM: the code does not run at CPL 0; -EACCES: the active view
 * does not let it read and write the structure there; -EFAULT: it is outside memory, which ends the VM.
 */
int service_perform(struct vcpu *vcpu, unsigned cpl, uint32_t address);

/* The repetitions of the operation that the vCPU performs are over, at `time`, a TSC. Returns 0, or -EINVAL if it performs
 * another one or none. */
int service_end_batch(struct vcpu *vcpu, uint64_t operation, uint64_t time);

#endif
