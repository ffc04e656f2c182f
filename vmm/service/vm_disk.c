/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/vm_disk.h"

#include <errno.h>
#include <string.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/pin.h"

/* What a device reads from memory a view calls a read. */
static int disk_memory(void *opaque, uint32_t handle, bool to_memory, uint8_t **ret_memory,
		       uint64_t *ret_size)
{
	struct vcpu *vcpu = ((struct vm *)opaque)->active;

	return pin_memory(vcpu, guest_access_port_cpl(vcpu), handle, to_memory ? VIEW_WRITE : VIEW_READ,
			  ret_memory, ret_size);
}

/* The vCPU that gave the command gets the interrupt. */
static void disk_raise(void *opaque, uint32_t vector)
{
	struct vm *vm = opaque;

	interrupt_raise(vm->active, vector);
}

int vm_disk_attach(struct vm *vm, struct error *error)
{
	const struct disk_owner owner = {disk_memory, disk_raise, vm};
	const struct storage *storage = &vm->plan->storage;
	int rc = 0;

	if (vm->plan->scratch_disk) {
		rc = storage_scratch(&vm->scratch_storage);
		storage = &vm->scratch_storage;
	}
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "no memory for a disk: %s", strerror(-rc));
	if (storage->fd < 0)
		return 0;
	disk_init(&vm->disk, &owner, storage->fd, storage->bytes, storage->read_only);
	return bus_claim(&vm->ports, SS_PORT_DISK, 4 * SS_DISK_REGISTER_COUNT, &disk_bus_ops,
			 &vm->disk) == 0
		       ? 0
		       : error_set(error, -EEXIST, STATUS_INTERNAL, "device ranges overlap");
}

void vm_disk_detach(struct vm *vm)
{
	storage_close(&vm->scratch_storage);
}
