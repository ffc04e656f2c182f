/* SPDX-License-Identifier: GPL-2.0-only */
/* Rights that change while the guest runs, in engines with a monitor. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/engine/monitor.h"

/* Nothing is there, behind the monitor. */
#define FLUSH_GPA (RELAY_BASE + RELAY_SIZE)

_Static_assert(FLUSH_GPA + GPA_PAGE_SIZE <= SS_MMIO_GPA, "overlap");
_Static_assert(RELAY_TOUCH_MAX >= EPT_CHANGE_MAX, "every named entry can be touched");

int monitor_check_rights(const struct vm *vm, unsigned rights)
{
	const struct paging_format *format = &paging_formats[vm_monitor(vm)->format];

	return -policy_error_number(format->check_rights(rights, &vm->vmfunc.caps));
}

/* Deleting a memory slot makes KVM drop everything, whatever slot it was
 * (arch/x86/kvm/mmu/mmu.c, kvm_mmu_zap_all_fast). */
int monitor_flush(struct vm *vm)
{
	struct kvm_userspace_memory_region slot = {
		.slot = MONITOR_SLOT_FLUSH,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = FLUSH_GPA,
		.memory_size = GPA_PAGE_SIZE,
		.userspace_addr = (uintptr_t)monitor_at(vm_monitor(vm), RELAY_NO_LIST),
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot) != 0)
		return -errno;
	slot.memory_size = 0;
	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot) == 0 ? 0 : -errno;
}

/* The tables are as they shall be; now KVM has to learn of it, before any vCPU goes on that relies on
 * it. The relay can tell it by touching the entries, if it is waiting for an answer. */
static int publish(struct vm *vm, const struct ept_change *change)
{
	struct relay_vcpu *relay;

	if (change->count == 0)
		return 0;
	if (!vm->active || !vm->active->relay_waits || change->count > EPT_CHANGE_MAX)
		return monitor_flush(vm);
	relay = monitor_vcpu(vm->active);
	relay->touch_count = change->count;
	for (size_t i = 0; i < change->count; i++)
		relay->touch[i] = change->entries[i].v;
	return 0;
}

int monitor_rights_changed(struct vm *vm, uint32_t view, uint32_t region)
{
	struct ept_live *live = vm_monitor(vm)->live;
	struct ept_change change;
	int rc = ept_live_update(live, &vm->policy, view, region, &change);

	/* Pages of old tables can be written again once KVM knows nothing of them. */
	if (rc == -ENOSPC) {
		rc = monitor_flush(vm);
		if (rc != 0)
			return rc;
		ept_live_collect(live);
		rc = ept_live_update(live, &vm->policy, view, region, &change);
	}
	if (rc != 0)
		return rc;
	rc = publish(vm, &change);
	/* The tables have changed, and nobody can tell who still uses the old ones. */
	if (rc != 0)
		vm_stop(vm, STOP_HOST, STATUS_INTERNAL, "KVM_SET_USER_MEMORY_REGION: %s",
			strerror(-rc));
	return rc;
}
