/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM from a plan. */
#ifndef VMM_VM_VM_CREATE_H
#define VMM_VM_VM_CREATE_H

#include "vmm/vm/vm.h"

/* What of a VM needs no KVM: its memory, with the image and what the guest finds there, and room for its vCPUs. `ops` are
 * those of the plan's engine. Returns 0 or a negative errno with the reason in `error`; vm_destroy() is due in both
 * cases. */
int vm_prepare(struct vm *vm, unsigned index, const struct plan *plan, const struct host *host,
	       const struct engine_ops *ops, struct error *error);

/*
 * Creates the VM by the ioctls of KVM, its memory and vCPUs, loads the image and fills in what the guest finds. Arguments and
 * results as above.
 */
int vm_create(struct vm *vm, unsigned index, const struct plan *plan, const struct host *host,
	      const struct engine_ops *ops, struct console *console, struct error *error);
void vm_destroy(struct vm *vm);

#endif
