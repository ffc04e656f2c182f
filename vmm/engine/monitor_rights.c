/* SPDX-License-Identifier: GPL-2.0-only */
/* Rights that change while the guest runs, in engines with a monitor. */
#include <errno.h>

#include "vmm/engine/memory_slot.h"
#include "vmm/engine/monitor.h"

/* Nothing is there, behind the monitor. */
#define FLUSH_GPA (RELAY_BASE + RELAY_SIZE)

_Static_assert(FLUSH_GPA + GPA_PAGE_SIZE <= SS_MMIO_GPA, "overlap");
_Static_assert(RELAY_TOUCH_MAX >= EPT_CHANGE_MAX, "every named entry can be touched");

/* Makes KVM drop all that it has derived from the hierarchies, for every vCPU, before this returns: deleting a
 * memory slot does, whatever slot it was (arch/x86/kvm/mmu/mmu.c, kvm_mmu_zap_all_fast). */
static int flush(struct vm *vm)
{
	const void *host = monitor_at(vm_monitor(vm), RELAY_NO_LIST);
	struct gpa_range place = {gpa_at(FLUSH_GPA), GPA_PAGE_SIZE};
	int rc = memory_slot_set(vm, MONITOR_SLOT_FLUSH, place, host, KVM_MEM_READONLY);

	place.size = 0;
	return rc == 0 ? memory_slot_set(vm, MONITOR_SLOT_FLUSH, place, host, KVM_MEM_READONLY) : rc;
}

/* The tables are as they shall be; now KVM has to learn of it, before any vCPU goes on that relies on
 * it. The relay can tell it by touching the entries, if it is waiting for an answer. */
static int publish(struct vm *vm, const struct ept_change *change)
{
	struct relay_vcpu *relay;

	if (change->count == 0)
		return 0;
	if (!vm->active || !vm->active->relay_waits || change->count > EPT_CHANGE_MAX)
		return flush(vm);
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
		rc = flush(vm);
		if (rc != 0)
			return rc;
		ept_live_collect(live);
		rc = ept_live_update(live, &vm->policy, view, region, &change);
	}
	if (rc != 0)
		return rc;
	rc = publish(vm, &change);
	/* The tables have changed, and nobody can tell who still uses the old ones. */
	return rc == 0 ? 0 : memory_slot_failed(vm, rc);
}
