/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/mark.h"
#include "vmm/service/pin.h"
#include "vmm/service/service.h"
#include "vmm/service/services.h"

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

static int attach_disk(struct vm *vm, struct error *error)
{
	const struct disk_owner owner = {disk_memory, disk_raise, vm};
	const struct storage *storage = &vm->plan->storage;
	struct services *services = vm->services;
	int rc = 0;

	if (vm->plan->scratch_disk) {
		rc = storage_scratch(&services->scratch);
		storage = &services->scratch;
	}
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "no memory for a disk: %s", strerror(-rc));
	if (storage->fd < 0)
		return 0;
	disk_init(&services->disk, &owner, storage->fd, storage->bytes, storage->read_only);
	return bus_claim(&vm->ports, SS_PORT_DISK, 4 * SS_DISK_REGISTER_COUNT, &disk_bus_ops,
			 &services->disk);
}

int services_attach(struct vm *vm, struct error *error)
{
	struct services *services = calloc(1, sizeof(*services));
	int rc;

	if (!services)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	vm->services = services;
	services->control_port = (struct control_port){service_request, vm};
	services->pin_limit = pin_limit();
	services->scratch.fd = -1;
	rc = mark_attach(vm);
	/* The others are of the platform sidestep. */
	if (rc == 0 && !vm->pc)
		rc = bus_claim(&vm->ports, SS_PORT_CONTROL, 4, &control_port_ops, &services->control_port);
	if (rc == 0 && !vm->pc)
		rc = attach_disk(vm, error);
	return rc == 0 ? 0 : error_set(error, rc, STATUS_INTERNAL, "device ranges overlap");
}

void services_detach(struct vm *vm)
{
	if (!vm->services)
		return;
	storage_close(&vm->services->scratch);
	free(vm->services);
	vm->services = NULL;
}
