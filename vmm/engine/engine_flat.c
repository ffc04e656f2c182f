/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/engine_flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "views/effect.h"
#include "views/service.h"
#include "vmm/engine/memory_slot.h"
#include "vmm/vm/vcpu.h"

/* Entries of the view list in the EPTP format, so that the processor's rules decide about them;
 * the address part only has to differ. Write-back, four levels. */
#define LIST_ENTRY(view) (((uint64_t)(view) + 1) << 12 | 3 << 3 | 6)

/* A slot for each region of the policy, then for each stretch of memory between regions. */
struct flat {
	struct gpa_range *places;  /* by slot */
	struct view_effect *shown; /* by slot: what it shows; rights 0: it does not exist */
	size_t count;
};

/* Memory that no region names: a view treats all of it alike. */
static void add_gaps(struct vm *vm, struct flat *flat, uint64_t start, uint64_t end)
{
	const struct view_policy *policy = &vm->policy;

	while (start < end) {
		uint64_t stop = end, next = end;

		for (size_t i = 0; i < policy->region_count; i++) {
			const struct view_region *region = &policy->regions[i];

			if (region->gpa.v + region->size <= start || region->gpa.v >= stop)
				continue;
			stop = region->gpa.v > start ? region->gpa.v : start;
			next = region->gpa.v + region->size;
		}
		if (stop > start)
			flat->places[flat->count++] = (struct gpa_range){gpa_at(start), stop - start};
		start = next;
	}
}

static void collect_places(struct vm *vm, struct flat *flat)
{
	const struct view_policy *policy = &vm->policy;

	for (size_t i = 0; i < policy->region_count; i++)
		flat->places[flat->count++] =
			(struct gpa_range){policy->regions[i].gpa, policy->regions[i].size};
	add_gaps(vm, flat, 0, guest_ram_low(&vm->ram));
	add_gaps(vm, flat, RAM_HIGH_BASE, RAM_HIGH_BASE + guest_ram_high(&vm->ram));
}

static bool same_slot(const struct view_effect *a, const struct view_effect *b)
{
	unsigned relevant = VIEW_READ | VIEW_WRITE;

	return (a->rights & relevant) == (b->rights & relevant) &&
	       (a->rights == 0 || gpa_equal(a->target, b->target));
}

/* KVM cannot change what a slot shows or whether it is writable: delete, then add. The page of devices
 * never has a slot: every access to it reaches the VMM, which looks at the rights. */
static int show_place(struct vm *vm, uint32_t index, struct view_effect effect)
{
	struct flat *flat = vm->engine_data;
	const struct gpa_range *place = &flat->places[index];
	int rc = 0;

	if (place->start.v == SS_MMIO_GPA)
		return 0;
	if (same_slot(&flat->shown[index], &effect))
		return 0;
	if (flat->shown[index].rights & VIEW_READ)
		rc = memory_slot_set(vm, index, (struct gpa_range){place->start, 0}, NULL, 0);
	flat->shown[index].rights = 0;
	if (rc == 0 && effect.rights & VIEW_READ)
		rc = memory_slot_set(vm, index, *place,
				     guest_ram_at(&vm->ram, effect.target, place->size),
				     effect.rights & VIEW_WRITE ? 0 : KVM_MEM_READONLY);
	if (rc == 0)
		flat->shown[index] = effect;
	return rc;
}

static int view_switch(struct vm *vm, unsigned view)
{
	const struct view_policy *policy = &vm->policy;
	const struct flat *flat = vm->engine_data;

	for (uint32_t i = 0; i < flat->count; i++) {
		int rc = show_place(vm, i, policy_effect(policy, view, flat->places[i].start));

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
	for (size_t i = 0; i < vm->policy.view_count; i++)
		vm->view_list[i] = LIST_ENTRY(i);
	vm->vmfunc = (struct vmfunc_state){
		.list = vm->view_list,
		.eptp = vm->view_list[0],
		.caps = {.maxphyaddr = PAGING_MAXPHYADDR_MAX},
	};
	service_configure(&vm->vmfunc, vm->service_table);
}

static int vm_init(struct vm *vm, struct error *error)
{
	/* Each of the two ranges of memory has at most a gap more than regions. */
	size_t places = 2 * vm->policy.region_count + 2;
	struct flat *flat = calloc(1, sizeof(*flat));
	int rc;

	vm->engine_data = flat;
	if (flat) {
		flat->places = calloc(places, sizeof(*flat->places));
		flat->shown = calloc(places, sizeof(*flat->shown));
	}
	if (!flat || !flat->places || !flat->shown)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	init_list(vm);
	collect_places(vm, flat);
	rc = view_switch(vm, 0);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_SET_USER_MEMORY_REGION: %s",
				 strerror(-rc));
	return 0;
}

static void vm_finish(struct vm *vm)
{
	struct flat *flat = vm->engine_data;

	if (!flat)
		return;
	free(flat->places);
	free(flat->shown);
	free(flat);
	vm->engine_data = NULL;
}

static void forget_page(struct vm *vm, gpa_t gpa)
{
	struct flat *flat = vm->engine_data;

	for (uint32_t i = 0; i < flat->count; i++) {
		const struct gpa_range *place = &flat->places[i];
		struct view_effect shown = flat->shown[i];
		int rc = 0;

		if (gpa.v < place->start.v || gpa.v - place->start.v >= place->size || !(shown.rights & VIEW_READ))
			continue;
		rc = memory_slot_set(vm, i, (struct gpa_range){place->start, 0}, NULL, 0);
		flat->shown[i].rights = 0;
		if (rc == 0)
			rc = show_place(vm, i, shown);
		if (rc != 0)
			memory_slot_failed(vm, rc);
	}
}

static int rights_changed(struct vm *vm, uint32_t view, uint32_t region)
{
	int rc = 0;

	if (view == vm->view)
		rc = show_place(vm, region,
				policy_effect(&vm->policy, view, vm->policy.regions[region].gpa));
	/* What was there before cannot be had back: it was deleted first. */
	return rc == 0 ? 0 : memory_slot_failed(vm, rc);
}

static int setup(struct vcpu *vcpu, const struct ss_operation *op)
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

static int view_current(struct vcpu *vcpu)
{
	return (int)vcpu->vm->view;
}

const struct engine_ops engine_flat = {
	.vm_init = vm_init,
	.vm_finish = vm_finish,
	.vcpu_init = vcpu_start,
	.forget_page = forget_page,
	.view_switch = view_switch,
	.rights_changed = rights_changed,
	.setup = setup,
	.view_current = view_current,
	.guest_sregs = vcpu_sregs,
};
