/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine_flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vcpu.h"
#include "views/effect.h"
#include "vm.h"

/* Entries of the view list in the EPTP format, so that the processor's rules decide about them;
 * the address part only has to differ. Write-back, four levels. */
#define LIST_ENTRY(view) (((uint64_t)(view) + 1) << 12 | 3 << 3 | 6)

/* Slots 0 to region_count - 1 are the regions of the policy, the rest of memory follows. */
struct flat {
	size_t fixed_slots;
	struct view_effect *shown; /* per region: what its slot shows; rights 0: no slot */
};

static int set_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t size, const void *host,
		    bool writable)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = writable ? 0 : KVM_MEM_READONLY,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0 ? 0 : -errno;
}

/* Memory that no region names: everything between them, in one slot each. */
static int add_fixed_slots(struct vm *vm, struct flat *flat, uint64_t start, uint64_t end)
{
	const struct view_policy *policy = &vm->plan->policy;

	while (start < end) {
		uint64_t stop = end, next = end;
		int rc;

		for (size_t i = 0; i < policy->region_count; i++) {
			const struct view_region *region = &policy->regions[i];

			if (region->gpa.v + region->size <= start || region->gpa.v >= stop)
				continue;
			stop = region->gpa.v > start ? region->gpa.v : start;
			next = region->gpa.v + region->size;
		}
		if (stop > start) {
			rc = set_slot(vm, (uint32_t)(policy->region_count + flat->fixed_slots), start,
				      stop - start,
				      guest_ram_at(&vm->ram, gpa_at(start), stop - start), true);
			if (rc != 0)
				return rc;
			flat->fixed_slots++;
		}
		start = next;
	}
	return 0;
}

static bool same_slot(const struct view_effect *a, const struct view_effect *b)
{
	unsigned relevant = VIEW_READ | VIEW_WRITE;

	return (a->rights & relevant) == (b->rights & relevant) &&
	       (a->rights == 0 || gpa_equal(a->target, b->target));
}

/* KVM cannot change what a slot shows or whether it is writable: delete, then add. */
static int show_region(struct vm *vm, uint32_t index, struct view_effect effect)
{
	struct flat *flat = vm->engine_data;
	const struct view_region *region = &vm->plan->policy.regions[index];
	int rc = 0;

	if (same_slot(&flat->shown[index], &effect))
		return 0;
	if (flat->shown[index].rights & VIEW_READ)
		rc = set_slot(vm, index, region->gpa.v, 0, NULL, true);
	flat->shown[index].rights = 0;
	if (rc == 0 && effect.rights & VIEW_READ)
		rc = set_slot(vm, index, region->gpa.v, region->size,
			      guest_ram_at(&vm->ram, effect.target, region->size),
			      effect.rights & VIEW_WRITE);
	if (rc == 0)
		flat->shown[index] = effect;
	return rc;
}

static int flat_view_switch(struct vm *vm, unsigned view)
{
	const struct view_policy *policy = &vm->plan->policy;

	for (uint32_t i = 0; i < policy->region_count; i++) {
		int rc = show_region(vm, i, policy_effect(policy, view, policy->regions[i].gpa));

		if (rc != 0)
			return rc;
	}
	vm->view = view;
	vm->vmfunc.eptp = vm->view_list[view];
	return 0;
}

static void init_list(struct vm *vm)
{
	memset(vm->view_list, 0, sizeof(vm->view_list));
	for (size_t i = 0; i < vm->plan->policy.view_count; i++)
		vm->view_list[i] = LIST_ENTRY(i);
	vm->vmfunc = (struct vmfunc_state){
		.enabled = vm->plan->policy.view_count != 0,
		.function_controls = 1,
		.list = vm->view_list,
		.eptp = vm->view_list[0],
		.caps = {.maxphyaddr = PAGING_MAXPHYADDR_MAX},
	};
}

static int flat_vm_init(struct vm *vm, struct error *error)
{
	size_t regions = vm->plan->policy.region_count;
	struct flat *flat = calloc(1, sizeof(*flat));
	int rc;

	vm->engine_data = flat;
	if (flat)
		flat->shown = calloc(regions ? regions : 1, sizeof(*flat->shown));
	if (!flat || !flat->shown)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	init_list(vm);
	rc = add_fixed_slots(vm, flat, 0, guest_ram_low(&vm->ram));
	if (rc == 0)
		rc = add_fixed_slots(vm, flat, RAM_HIGH_BASE, RAM_HIGH_BASE + guest_ram_high(&vm->ram));
	if (rc == 0)
		rc = flat_view_switch(vm, 0);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_SET_USER_MEMORY_REGION: %s",
				 strerror(-rc));
	return 0;
}

static void flat_vm_finish(struct vm *vm)
{
	struct flat *flat = vm->engine_data;

	if (!flat)
		return;
	free(flat->shown);
	free(flat);
	vm->engine_data = NULL;
}

static int flat_setup(struct vcpu *vcpu, const struct ss_operation *op)
{
	struct vm *vm = vcpu->vm;

	init_list(vm);
	vm->vmfunc.eptp = vm->view_list[vm->view];
	if (op && op->masked)
		return -EOPNOTSUPP;
	if (op)
		setup_apply(op, &vm->vmfunc, vm->view_list);
	return 0;
}

static int flat_view_current(struct vcpu *vcpu)
{
	return (int)vcpu->vm->view;
}

static int flat_vcpu_init(struct vcpu *vcpu, struct error *error)
{
	return vcpu_enter_long_mode(vcpu, error);
}

static bool flat_probe(const struct host *host, char *reason, size_t size)
{
	(void)host;
	(void)reason;
	(void)size;
	return true;
}

const struct engine engine_flat = {
	.id = ENGINE_FLAT,
	.probe = flat_probe,
	.vm_init = flat_vm_init,
	.vm_finish = flat_vm_finish,
	.vcpu_init = flat_vcpu_init,
	.view_switch = flat_view_switch,
	.setup = flat_setup,
	.view_current = flat_view_current,
	.guest_cr3 = vcpu_cr3,
};
