/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers that a guest has pinned for devices: kept in the host's memory until it gives them back. */
#ifndef VMM_SERVICE_PIN_H
#define VMM_SERVICE_PIN_H

#include "views/pins.h"
#include "vmm/vm/vm.h"

/*
 * Pins a buffer, as the vCPU's active view allows, and records it. Returns 0 and its handle, what
 * pins_check() gives, or -ENOMEM if the host does not keep that much in memory for us
 * (RLIMIT_MEMLOCK).
 */
int pin_buffer(struct vcpu *vcpu, const struct pin_request *request, uint32_t *ret_handle);

/* Gives a buffer back. Returns 0, or -ENOENT if there is none with this handle. */
int pin_release(struct vcpu *vcpu, uint64_t handle);

/* Gives back what is left when the VM has ended. */
void pin_release_all(struct vm *vm);

/* The memory of a buffer, for a device that makes this access (VIEW_READ or VIEW_WRITE) by order of code at
 * this CPL. Returns 0, -ENOENT for no such buffer, or -EACCES if the buffer is not pinned for that, or
 * the code that gives the order may not do the same itself, now. */
int pin_memory(struct vcpu *vcpu, unsigned cpl, uint64_t handle, unsigned right, uint8_t **ret_memory,
	       uint64_t *ret_size);

/* What the host lets this process pin, in bytes; UINT64_MAX: anything. */
uint64_t pin_limit(void);

#endif
