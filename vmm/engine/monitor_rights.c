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

/* What the relay knows leads to tables whose pages will be written again. */
static void collect(struct vm *vm)
{
	struct monitor *monitor = vm_monitor(vm);

	for (unsigned i = 0; i < vm->vcpus_created; i++)
		((struct relay_changes *)monitor_at(monitor, monitor_changes(&vm->vcpus[i])))->count = 0;
	monitor->collected = true;
	ept_live_collect(monitor->live);
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
		collect(vm);
		rc = ept_live_update(live, &vm->policy, view, region, &change);
	}
	if (rc != 0)
		return rc;
	rc = publish(vm, &change);
	/* The tables have changed, and nobody can tell who still uses the old ones. */
	return rc == 0 ? 0 : memory_slot_failed(vm, rc);
}

/* The entry of a view's root that everything of a region lies behind; 0: there are several, or no such region. */
static uint64_t root_entry(const struct vm *vm, uint64_t view, uint64_t region)
{
	const struct view_region *place;
	uint64_t first;

	if (view >= vm->policy.view_count || region >= vm->policy.region_count)
		return 0;
	place = &vm->policy.regions[region];
	first = place->gpa.v / PAGING_SPAN(PAGING_LEVELS);
	if (place->size == 0 || (place->gpa.v + place->size - 1) / PAGING_SPAN(PAGING_LEVELS) != first)
		return 0;
	return vm_monitor(vm)->views->view[view].root.v + first * sizeof(uint64_t);
}

void monitor_change_begin(struct vcpu *vcpu, uint64_t view, uint64_t region, uint64_t rights,
			  struct relay_change *ret_change)
{
	struct monitor *monitor = vm_monitor(vcpu->vm);

	*ret_change = (struct relay_change){
		.entry = monitor_vcpu(vcpu)->changes ? root_entry(vcpu->vm, view, region) : 0,
		.view = (uint32_t)view,
		.region = (uint32_t)region,
		.rights = (uint32_t)rights,
	};
	if (ret_change->entry)
		ret_change->from = *(const uint64_t *)monitor_at(monitor, ret_change->entry);
	monitor->collected = false;
}

void monitor_change_end(struct vcpu *vcpu, struct relay_change *change)
{
	struct monitor *monitor = vm_monitor(vcpu->vm);
	struct relay_changes *all;

	if (!change->entry || monitor->collected)
		return;
	change->to = *(const uint64_t *)monitor_at(monitor, change->entry);
	all = monitor_at(monitor, monitor_changes(vcpu));
	all->changes[all->count++ % RELAY_CHANGES_MAX] = *change;
}
