/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/memory_slot.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

int memory_slot_set(struct vm *vm, uint32_t slot, struct gpa_range place, const void *host,
		    uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = place.start.v,
		.memory_size = place.size,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0 ? 0 : -errno;
}

int memory_slot_failed(struct vm *vm, int rc)
{
	vm_stop(vm, STOP_HOST, STATUS_INTERNAL, "KVM_SET_USER_MEMORY_REGION: %s", strerror(-rc));
	return rc;
}
