/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "views/service.h"
#include "views/setup.h"
#include "vmm/guest/boot.h"
#include "vmm/guest/descriptor.h"
#include "vmm/observe/probe.h"
#include "vmm/plan/engine_target.h"
#include "vmm/vm/vcpu.h"

#define PTE_TABLE 3u
#define PTE_LEAF 0x83u
#define SHADOW_PAGES_MIN 1024

_Static_assert(RELAY_BASE >= RAM_HOLE_BASE && RELAY_BASE + RELAY_SIZE <= SS_MMIO_GPA,
	       "the monitor lies in the hole of guest memory");
_Static_assert(RELAY_VCPUS + SS_MAX_VCPUS * RELAY_VCPU_STRIDE <= RELAY_RINGS, "overlap");
_Static_assert(RELAY_RINGS + SS_MAX_VCPUS * RELAY_RING_RECORDS * sizeof(struct relay_record) <=
		       RELAY_TABLES,
	       "overlap");
_Static_assert(RELAY_TABLES + RELAY_TABLES_SIZE <= RELAY_BASE + RELAY_SIZE, "overlap");
_Static_assert(RELAY_PORT != SS_PORT_CONTROL, "overlap");

struct monitor *vm_monitor(const struct vm *vm)
{
	return vm->engine_data;
}

void *monitor_at(const struct monitor *monitor, uint64_t gpa)
{
	return monitor->host + (gpa - RELAY_BASE);
}

struct relay_vcpu *monitor_vcpu(const struct vcpu *vcpu)
{
	return monitor_at(vm_monitor(vcpu->vm), RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * vcpu->index);
}

/* L1's own address space: everything one to one, above 4 GiB in pages of 1 GiB, and the descriptors
 * that an exit loads. */
static void write_tables(const struct monitor *monitor, uint64_t high)
{
	uint64_t *pml4 = monitor_at(monitor, RELAY_PML4), *pdpt = monitor_at(monitor, RELAY_PDPT);
	uint64_t *gdt = monitor_at(monitor, RELAY_GDT);

	pml4[0] = RELAY_PDPT | PTE_TABLE;
	for (uint64_t g = 0; g < 4; g++) {
		uint64_t *pd = monitor_at(monitor, RELAY_PD + 4096 * g);

		pdpt[g] = (RELAY_PD + 4096 * g) | PTE_TABLE;
		for (uint64_t i = 0; i < 512; i++)
			pd[i] = g << 30 | i << 21 | PTE_LEAF;
	}
	for (uint64_t g = RAM_HIGH_BASE >> 30; g < 512 && g << 30 < RAM_HIGH_BASE + high && high; g++)
		pdpt[g] = g << 30 | PTE_LEAF;
	gdt[SS_SEL_CODE / 8] = DESCRIPTOR_CODE;
	gdt[SS_SEL_DATA / 8] = DESCRIPTOR_DATA;
	gdt[SS_SEL_TSS / 8] = descriptor_tss(RELAY_TSS);
}

static int set_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t size, const void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	if (size == 0 || ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0)
		return 0;
	return -errno;
}

/* KVM shadows the hierarchies and by default allows itself a number of pages that follows from the size
 * of memory, too few for hundreds of views: it would rebuild them at every switch. */
static int allow_shadow_pages(struct vm *vm, const struct monitor *monitor)
{
	unsigned long pages = 8 * (unsigned long)monitor->views->tables_total + SHADOW_PAGES_MIN;

	return ioctl(vm->fd, KVM_SET_NR_MMU_PAGES, pages) == 0 ? 0 : -errno;
}

static int set_slots(struct vm *vm, const struct monitor *monitor, struct error *error)
{
	uint64_t low = guest_ram_low(&vm->ram), high = guest_ram_high(&vm->ram);
	int rc = set_slot(vm, MONITOR_SLOT_LOW, 0, low, vm->ram.host);

	if (rc == 0)
		rc = set_slot(vm, MONITOR_SLOT_HIGH, RAM_HIGH_BASE, high, vm->ram.host + low);
	if (rc == 0)
		rc = set_slot(vm, MONITOR_SLOT_MEMORY, RELAY_BASE, RELAY_SIZE, monitor->host);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_SET_USER_MEMORY_REGION: %s",
				 strerror(-rc));
	rc = allow_shadow_pages(vm, monitor);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_SET_NR_MMU_PAGES: %s",
				 strerror(-rc));
	return 0;
}

/* The device page is mapped without memory behind it, so that L0 hands accesses to the VMM. */
static int build_views(struct vm *vm, struct monitor *monitor, enum paging_format_id format,
		       const struct paging_caps *caps, struct error *error)
{
	struct gpa_range ranges[ENGINE_RANGES_MAX];
	const struct view_target target = {
		.memory = {ranges, engine_ranges(vm->ram.size, ranges)},
		.format = &paging_formats[format],
		.caps = *caps,
	};
	struct table_arena arena = {
		.base = gpa_at(RELAY_TABLES),
		.host = monitor_at(monitor, RELAY_TABLES),
		.size = RELAY_TABLES_SIZE,
	};
	struct policy_error why;
	int rc;

	monitor->views = calloc(1, sizeof(*monitor->views));
	if (!monitor->views)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = ept_live_create(&vm->policy, &target, &arena, monitor->views, &monitor->live, &why);
	if (rc != 0)
		return error_set(error, rc, STATUS_USAGE, "the views cannot be built: %s",
				 policy_error_text(why.kind));
	monitor->list = monitor_at(monitor, RELAY_EPTP_LIST);
	eptp_list_build(vm->view_list, monitor->views);
	for (size_t i = 0; i < monitor->views->count; i++)
		vm->view_list[i] = ept_pointer(monitor->views->view[i].root, caps);
	memcpy(monitor->list, vm->view_list, sizeof(vm->view_list));
	return 0;
}

int monitor_create(struct vm *vm, enum paging_format_id format, const struct paging_caps *caps,
		   const void *relay, size_t relay_size, struct error *error)
{
	struct monitor *monitor = vm_monitor(vm);
	void *host;
	int rc;

	host = mmap(NULL, RELAY_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host == MAP_FAILED)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "no memory for the monitor");
	monitor->host = host;
	monitor->format = format;
	if (relay_size > RELAY_IMAGE_MAX)
		return error_set(error, -EFBIG, STATUS_INTERNAL, "the relay is too large");
	memcpy(monitor_at(monitor, RELAY_IMAGE), relay, relay_size);
	write_tables(monitor, guest_ram_high(&vm->ram));
	rc = build_views(vm, monitor, format, caps, error);
	if (rc == 0)
		rc = set_slots(vm, monitor, error);
	vm->vmfunc = (struct vmfunc_state){
		.list = vm->view_list,
		.eptp = vm->view_list[0],
		.caps = *caps,
	};
	service_configure(&vm->vmfunc, vm->service_table);
	return rc;
}

void monitor_destroy(struct vm *vm)
{
	struct monitor *monitor = vm_monitor(vm);

	if (!monitor)
		return;
	if (monitor->host)
		munmap(monitor->host, RELAY_SIZE);
	ept_live_destroy(monitor->live);
	free(monitor->views);
	*monitor = (struct monitor){0};
}

static uint64_t ring_address(const struct vcpu *vcpu)
{
	return RELAY_RINGS + RELAY_RING_RECORDS * sizeof(struct relay_record) * vcpu->index;
}

void monitor_vcpu_init(struct vcpu *vcpu)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	*relay = (struct relay_vcpu){
		.cr0_fixed1 = UINT64_MAX,
		.views = vcpu->vm->policy.view_count,
		.marker = boot_vcpu_page(vcpu->index).v,
		.ring = ring_address(vcpu),
		.home = vcpu->vm->view_list[0],
		.pointer = vcpu->vm->view_list[0],
	};
	monitor_set_words(vcpu, vcpu->vm->flags->masked, vcpu->vm->flags->kept, 0);
}

void monitor_set_words(struct vcpu *vcpu, uint64_t masked, uint64_t kept, uint64_t shadow)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->owned = ~masked;
	relay->kept = kept;
	relay->shadow = (SS_CR0_BASE & ~masked) | (shadow & masked);
}

/* What the relay decides by, with the list where the relay finds it. */
static void set_relay_vmfunc(struct vcpu *vcpu, const struct vmfunc_state *state)
{
	bool backed = state->list == vm_monitor(vcpu->vm)->list;
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->vmfunc = *state;
	relay->vmfunc.list = (const uint64_t *)(uintptr_t)(backed ? RELAY_EPTP_LIST : RELAY_NO_LIST);
}

void monitor_setup(struct vcpu *vcpu, const struct ss_operation *op, struct vmfunc_state *ret_state)
{
	struct vm *vm = vcpu->vm;
	struct monitor *monitor = vm_monitor(vm);

	memcpy(monitor->list, vm->view_list, sizeof(vm->view_list));
	*ret_state = vm->vmfunc;
	ret_state->list = monitor->list;
	service_configure(ret_state, vm->service_table);
	if (op)
		setup_apply(op, ret_state, monitor->list);
	set_relay_vmfunc(vcpu, ret_state);
	monitor_set_words(vcpu, op ? op->masked : vm->flags->masked,
			  op ? op->kept : vm->flags->kept, op ? op->shadow : 0);
}

int monitor_view_of(const struct vm *vm, uint64_t pointer)
{
	for (size_t i = 0; i < vm->policy.view_count; i++)
		if (vm->view_list[i] == pointer)
			return (int)i;
	return -1;
}

void monitor_inject(struct relay_vcpu *relay, uint64_t vector, uint64_t error_code)
{
	relay->action = RELAY_INJECT;
	relay->vector = vector;
	relay->error_code = error_code;
}

struct page_walk_space monitor_space(const struct vcpu *vcpu, const struct monitor_exit *exit)
{
	int view = monitor_view_of(vcpu->vm, monitor_vcpu(vcpu)->pointer);

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
	if (record->wanted)
		probe_control_flag_write(vcpu->index, LEVEL_MONITOR, record->wanted, relay->owned,
					 vcpu->vm->index);
	if (record->view)
		probe_view_switch(vcpu->index, LEVEL_MONITOR, -1, record->view - 1,
				  vcpu->vm->index);
}

/* No guest can reach the ring and its indices, but they are guest memory: whatever is found there
 * leads to no more records than a ring has, of this vCPU's ring. */
static void take_records(struct vcpu *vcpu, uint64_t head)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const struct relay_record *ring = monitor_at(vm_monitor(vcpu->vm), ring_address(vcpu));
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

		if (record.operation > vcpu->vm->plan->image.operation_count)
			record.operation = 0;
		fire(vcpu, relay, from);
		recorder_exit(&vcpu->recorder, &record);
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

int monitor_write(struct vcpu *vcpu, uint64_t field, uint64_t value)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	if (!vcpu->relay_waits || relay->write_count >= RELAY_WRITES_MAX)
		return -EPERM;
	relay->writes[relay->write_count++] = (struct relay_write){.field = field, .value = value};
	return 0;
}
