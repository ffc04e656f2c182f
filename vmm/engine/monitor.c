/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "views/flags.h"
#include "views/service.h"
#include "views/setup.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/probe.h"
#include "vmm/observe/recorder.h"

struct monitor *vm_monitor(const struct vm *vm)
{
	return vm->engine_data;
}

void *monitor_at(const struct monitor *monitor, uint64_t gpa)
{
	return monitor->host + (gpa - RELAY_BASE);
}

uint64_t monitor_physical(const struct vm *vm, uint64_t address)
{
	return vm_monitor(vm)->physical + (address - RELAY_BASE);
}

/* The place of its guest in the monitor's memory: guests that share a vCPU have one each. */
static unsigned monitor_slot(const struct vcpu *vcpu)
{
	return vcpu->vm->slot + vcpu->index;
}

static uint64_t vcpu_address(const struct vcpu *vcpu)
{
	return RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * monitor_slot(vcpu);
}

struct relay_vcpu *monitor_vcpu(const struct vcpu *vcpu)
{
	return monitor_at(vm_monitor(vcpu->vm), vcpu_address(vcpu));
}

uint64_t monitor_stack(const struct vcpu *vcpu)
{
	return vcpu_address(vcpu) + sizeof(((struct relay_vcpu *)0)->regs);
}

uint64_t monitor_region(const struct vcpu *vcpu)
{
	return RELAY_CONTROL + UINT64_C(0x2000) * monitor_slot(vcpu);
}

uint64_t monitor_control(const struct vcpu *vcpu)
{
	return monitor_region(vcpu) + 0x1000;
}

/* The relay is one block of code, whose functions the compiler has put into each other: it counts as one. */
bool monitor_code(const struct vcpu *vcpu, struct record_code *record)
{
	const uint64_t offset = record->rip - RELAY_IMAGE;
	const uint64_t before = offset < CODE_BEFORE ? offset : CODE_BEFORE;

	if (offset >= RELAY_IMAGE_MAX)
		return false;
	record->offset = (uint32_t)offset;
	record->before = (uint8_t)before;
	record->count = (uint8_t)(before + CODE_BYTES - CODE_BEFORE);
	memcpy(record->bytes, monitor_at(vm_monitor(vcpu->vm), record->rip - before), record->count);
	snprintf(record->symbol, sizeof(record->symbol), "relay");
	return true;
}

uint64_t monitor_ring(const struct vcpu *vcpu)
{
	return RELAY_RINGS + RELAY_RING_RECORDS * sizeof(struct relay_record) * monitor_slot(vcpu);
}

uint64_t monitor_decoded(const struct vcpu *vcpu)
{
	return RELAY_DECODED + (uint64_t)RELAY_DECODED_STRIDE * monitor_slot(vcpu);
}

uint64_t monitor_changes(const struct vcpu *vcpu)
{
	return RELAY_CHANGES + (uint64_t)RELAY_CHANGES_STRIDE * monitor_slot(vcpu);
}

uint64_t monitor_list(const struct vm *vm)
{
	return RELAY_LISTS + UINT64_C(0x1000) * vm->slot;
}

/* The number is in memory that no guest can reach, but it is memory of the VM. */
struct vcpu *monitor_running(struct vm *leader)
{
	const struct relay_group *group = monitor_at(vm_monitor(leader), RELAY_GROUP);
	uint64_t current = *(const volatile uint64_t *)&group->current;

	return &leader[current < leader->plan->vms ? current : 0].vcpus[0];
}

void monitor_retire(struct vcpu *vcpu)
{
	monitor_vcpu(vcpu)->gone = 1;
}

struct masks {
	uint64_t masked, kept, shadow;
	bool trap; /* the VMM carries out every write */
};

/* The words that the relay decides writes of a register by, which the guest has with `base` at first. What the
 * engine hides is kept, as 0. */
static void set_words(const struct plan *plan, struct relay_register *reg, uint64_t base,
		      const struct masks *masks)
{
	/* What the VMM keeps is kept by the words too, and reaches it all the same. */
	const uint64_t asked =
		plan->on_ask == FLAGS_ON_ASK_SHADOW ? masks->masked & ~masks->kept : 0;
	const uint64_t loaded = reg->words.value;

	reg->words = boot_words(plan->embodiment, base, masks->masked | reg->hidden,
				masks->kept | asked | reg->hidden, masks->shadow, 0);
	reg->words.value = loaded;
	reg->passed = masks->trap ? masks->masked : asked;
}

/* Masks of an operation are those of the register that it is about. */
static void set_registers(struct vcpu *vcpu, const struct ss_operation *op)
{
	const struct plan *plan = vcpu->vm->plan;
	const struct flag_plan *flags = vcpu->vm->flags;
	const bool trap = plan->flag_path == FLAG_PATH_VMM;
	struct masks cr0 = {PLAN_CR0(flags->masked), PLAN_CR0(flags->kept), SS_CR0_BASE, trap};
	struct masks cr4 = {PLAN_CR4(flags->masked), PLAN_CR4(flags->kept), SS_CR4_BASE, trap};

	if (op) {
		const bool is_cr4 = op->kind == SS_KIND_CR4_WRITE || op->kind == SS_KIND_CR4_READ;

		cr0 = cr4 = (struct masks){0};
		*(is_cr4 ? &cr4 : &cr0) =
			(struct masks){op->masked, op->kept, op->shadow, op->flags & SS_OP_TRAP};
	}
	set_words(plan, &monitor_vcpu(vcpu)->cr0, SS_CR0_BASE, &cr0);
	set_words(plan, &monitor_vcpu(vcpu)->cr4, SS_CR4_BASE, &cr4);
}

/* What the relay decides by, with the list where the relay finds it. */
static void set_relay_vmfunc(struct vcpu *vcpu, const struct vmfunc_state *state)
{
	bool backed = state->list == vm_monitor(vcpu->vm)->list;
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const uint64_t active = relay->vmfunc.eptp;

	relay->vmfunc = *state;
	relay->vmfunc.eptp = active;
	relay->vmfunc.list = (const uint64_t *)(uintptr_t)(backed ? monitor_list(vcpu->vm) : RELAY_NO_LIST);
}

const struct vmfunc_state *monitor_setup(struct vcpu *vcpu, const struct ss_operation *op)
{
	struct vm *vm = vcpu->vm;
	struct monitor *monitor = vm_monitor(vm);

	memcpy(monitor->list, vm->view_list, sizeof(vm->view_list));
	vm->vmfunc.list = monitor->list;
	service_configure(&vm->vmfunc, vm->service_table);
	if (op)
		setup_apply(op, &vm->vmfunc, monitor->list);
	set_relay_vmfunc(vcpu, &vm->vmfunc);
	set_registers(vcpu, op);
	return &vm->vmfunc;
}

int monitor_view_of(const struct vm *vm, uint64_t pointer, uint64_t mask)
{
	for (size_t i = 0; i < vm->policy.view_count; i++)
		if ((vm->view_list[i] & mask) == pointer)
			return (int)i;
	return -1;
}

void monitor_inject(struct relay_vcpu *relay, uint64_t vector, uint64_t error_code)
{
	relay->action = RELAY_INJECT;
	relay->vector = vector;
	relay->error_code = error_code;
}

void monitor_find_event(const struct vcpu *vcpu, uint64_t reason, const struct monitor_reason *rows,
			size_t count, struct monitor_exit *exit)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].reason == reason) {
			exit->event = rows[i].event;
			exit->name = vcpu->vm->plan->engine->reason_name(reason);
			return;
		}
}

struct page_walk_space monitor_space(const struct vcpu *vcpu, const struct monitor_exit *exit)
{
	int view = monitor_view_of(vcpu->vm, monitor_vcpu(vcpu)->vmfunc.eptp, UINT64_MAX);

	return (struct page_walk_space){
		.vm = vcpu->vm,
		.view = view < 0 ? UINT32_MAX : (uint32_t)view,
		.cr3 = exit->cr3,
		.user = exit->cpl == 3,
		.mode = exit->mode,
	};
}

/* The probes for what the relay has completed. The words are still those it was decided by: they
 * change only while the relay waits, after its records have been taken. */
static void fire(const struct vcpu *vcpu, const struct relay_vcpu *relay,
		 const struct relay_record *record)
{
	if (record->wanted && !record->service)
		probe_control_flag_write(vcpu->index, LEVEL_MONITOR, record->wanted,
					 ~flags_masked(&relay->cr0.words), vcpu->vm->index);
	if (record->view)
		probe_view_switch(vcpu->index, LEVEL_MONITOR, -1, record->view - 1,
				  vcpu->vm->index);
}

/* Rights that the relay has set: in the policy they are the same then. No guest can write the record, but it is guest
 * memory. */
static void hear_of_rights(struct vcpu *vcpu, const struct relay_record *record)
{
	struct vm *vm = vcpu->vm;
	const uint32_t view = (uint32_t)record->wanted, region = (uint32_t)(record->qualification >> 32);
	const unsigned rights = record->wanted >> 32 & 0xff;

	if (record->service != service_code(SS_SERVICE_MAP, SERVICE_PERFORM) || !(record->wanted & RELAY_TOLD))
		return;
	monitor_vcpu(vcpu)->untold = 0;
	if (view >= vm->policy.view_count || region >= vm->policy.region_count || rights & ~VIEW_RIGHTS_ALL)
		return;
	vm->open_page = 0;
	/* A copy of a policy has room for every rule, so this cannot fail. */
	policy_set_rights(&vm->policy, view, region, rights);
}

/* No guest can reach the ring and its indices, but they are guest memory: whatever is found there
 * leads to no more records than a ring has, of this vCPU's ring. */
static void take_records(struct vcpu *vcpu, uint64_t head)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const struct relay_record *ring = monitor_at(vm_monitor(vcpu->vm), monitor_ring(vcpu));
	uint64_t tail = relay->tail;

	if (head - tail > RELAY_RING_RECORDS)
		tail = head - RELAY_RING_RECORDS;
	for (; tail != head; tail++) {
		const struct relay_record *from = &ring[tail % RELAY_RING_RECORDS];
		struct record_exit record = {
			.record = {.type = RECORD_EXIT, .size = sizeof(record),
				   .level = LEVEL_MONITOR},
			.time = from->time,
			.rip = from->rip,
			.qualification = from->qualification,
			.operation = from->operation,
			.cost = from->cost,
			.reason = (uint16_t)from->reason,
			.view = from->view,
			.service = from->service,
		};

		if (record.operation > image_operations(&vcpu->vm->plan->image))
			record.operation = 0;
		vcpu->taken += from->operation == RELAY_OPERATION_TAKEN;
		hear_of_rights(vcpu, from);
		fire(vcpu, relay, from);
		recorder_exit(vcpu->recorder, &record);
	}
	relay->tail = tail;
}

void monitor_drain(struct vcpu *vcpu)
{
	take_records(vcpu, monitor_vcpu(vcpu)->head);
}

void monitor_drain_finished(struct vcpu *vcpu)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);

	if (relay->head != relay->tail)
		take_records(vcpu, relay->head - 1);
}

/* While the relay waits, the record of the exit is not finished yet; of others it knows nothing. */
void monitor_catch_up(struct vcpu *vcpu)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);

	if (!relay->untold)
		return;
	if (relay->pending)
		monitor_drain_finished(vcpu);
	else
		monitor_drain(vcpu);
}

int monitor_write(struct vcpu *vcpu, uint64_t field, uint64_t value)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	if (!vcpu->relay_waits || relay->write_count >= RELAY_WRITES_MAX)
		return -EPERM;
	relay->writes[relay->write_count++] = (struct relay_write){.field = field, .value = value};
	return 0;
}
