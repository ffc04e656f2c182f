/* SPDX-License-Identifier: GPL-2.0-only */
/* The disk of a VM: the device of devices/disk.h with the VM's pinned buffers and interrupts. */
#ifndef VMM_SERVICE_VM_DISK_H
#define VMM_SERVICE_VM_DISK_H

#include "vmm/vm/vm.h"

/* Gives the VM the disk that the plan provides for, if any. Returns 0 or a negative errno with the
 * reason in `error`. */
int vm_disk_attach(struct vm *vm, struct error *error);
void vm_disk_detach(struct vm *vm);

#endif
