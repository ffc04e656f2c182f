/* SPDX-License-Identifier: GPL-2.0-only */
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "boot.h"
#include "run.h"
#include "service.h"
#include "vcpu.h"
#include "violation.h"

#define PTE_TABLE 3u
#define PTE_LEAF_2M 0x83u
#define SHADOW_PAGES_MIN 1024
#define SLOT_LOW 0
#define SLOT_HIGH 1
#define SLOT_MONITOR 2

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

static void *at(const struct monitor *monitor, uint64_t gpa)
{
	return monitor->host + (gpa - RELAY_BASE);
}

struct relay_vcpu *monitor_vcpu(const struct vcpu *vcpu)
{
	return at(vm_monitor(vcpu->vm), RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * vcpu->index);
}

/* L1's own address space: 4 GiB one to one, and the descriptors that an exit loads. */
static void write_tables(const struct monitor *monitor)
{
	uint64_t *pml4 = at(monitor, RELAY_PML4), *pdpt = at(monitor, RELAY_PDPT);
	uint64_t *gdt = at(monitor, RELAY_GDT);

	pml4[0] = RELAY_PDPT | PTE_TABLE;
	for (uint64_t g = 0; g < 4; g++) {
		uint64_t *pd = at(monitor, RELAY_PD + 4096 * g);

		pdpt[g] = (RELAY_PD + 4096 * g) | PTE_TABLE;
		for (uint64_t i = 0; i < 512; i++)
			pd[i] = g << 30 | i << 21 | PTE_LEAF_2M;
	}
	gdt[SS_SEL_CODE / 8] = 0x00af9b000000ffff;
	gdt[SS_SEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[SS_SEL_TSS / 8] = 0x00008b0000000067 | (RELAY_TSS & UINT64_C(0xffffff)) << 16 |
			      (uint64_t)(RELAY_TSS >> 24) << 56;
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
	int rc = set_slot(vm, SLOT_LOW, 0, low, vm->ram.host);

	if (rc == 0)
		rc = set_slot(vm, SLOT_HIGH, RAM_HIGH_BASE, high, vm->ram.host + low);
	if (rc == 0)
		rc = set_slot(vm, SLOT_MONITOR, RELAY_BASE, RELAY_SIZE, monitor->host);
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
	uint64_t high = guest_ram_high(&vm->ram);
	const struct gpa_range ranges[] = {
		{gpa_at(0), guest_ram_low(&vm->ram)},
		{gpa_at(SS_MMIO_GPA), GPA_PAGE_SIZE},
		{gpa_at(RAM_HIGH_BASE), high},
	};
	const struct view_target target = {
		.memory = {ranges, high ? 3 : 2},
		.format = &paging_formats[format],
		.caps = *caps,
	};
	struct table_arena arena = {
		.base = gpa_at(RELAY_TABLES),
		.host = at(monitor, RELAY_TABLES),
		.size = RELAY_TABLES_SIZE,
	};
	struct policy_error why;
	int rc;

	monitor->views = calloc(1, sizeof(*monitor->views));
	if (!monitor->views)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = ept_build(&vm->plan->policy, &target, &arena, monitor->views, &why);
	if (rc != 0)
		return error_set(error, rc, STATUS_USAGE, "the views cannot be built: %s",
				 policy_error_text(why.kind));
	monitor->list = at(monitor, RELAY_EPTP_LIST);
	eptp_list_build(vm->view_list, monitor->views);
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
	if (relay_size > RELAY_IMAGE_MAX)
		return error_set(error, -EFBIG, STATUS_INTERNAL, "the relay is too large");
	memcpy(at(monitor, RELAY_IMAGE), relay, relay_size);
	write_tables(monitor);
	rc = build_views(vm, monitor, format, caps, error);
	if (rc == 0)
		rc = set_slots(vm, monitor, error);
	return rc;
}

void monitor_destroy(struct vm *vm)
{
	struct monitor *monitor = vm_monitor(vm);

	if (!monitor)
		return;
	if (monitor->host)
		munmap(monitor->host, RELAY_SIZE);
	free(monitor->views);
	*monitor = (struct monitor){0};
}

void monitor_vcpu_init(struct vcpu *vcpu)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	uint64_t ring_size = RELAY_RING_RECORDS * sizeof(struct relay_record);

	*relay = (struct relay_vcpu){
		.list = RELAY_EPTP_LIST,
		.views = vcpu->vm->plan->policy.view_count,
		.marker = boot_vcpu_page(vcpu->index).v,
		.ring = RELAY_RINGS + ring_size * vcpu->index,
	};
	monitor_set_words(vcpu, vcpu->vm->plan->cr0_masked, vcpu->vm->plan->cr0_kept, 0);
}

void monitor_set_words(struct vcpu *vcpu, uint64_t masked, uint64_t kept, uint64_t shadow)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->owned = ~masked;
	relay->kept = kept;
	relay->shadow = (SS_CR0_BASE & ~masked) | (shadow & masked);
}

int monitor_view_of(const struct vm *vm, uint64_t pointer)
{
	for (size_t i = 0; i < vm->plan->policy.view_count; i++)
		if (vm->view_list[i] == pointer)
			return (int)i;
	return -1;
}

void monitor_drain(struct vcpu *vcpu)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const struct relay_record *ring = at(vm_monitor(vcpu->vm), relay->ring);
	uint64_t head = __atomic_load_n(&relay->head, __ATOMIC_ACQUIRE);

	while (relay->tail != head) {
		const struct relay_record *from = &ring[relay->tail % RELAY_RING_RECORDS];
		struct record_exit record = {
			.record = {.type = RECORD_EXIT, .size = sizeof(record),
				   .level = LEVEL_MONITOR},
			.time = from->time,
			.rip = from->rip,
			.qualification = from->qualification,
			.operation = from->operation <= vcpu->vm->plan->image.operation_count
					     ? from->operation
					     : 0,
			.cost = from->cost,
			.reason = (uint16_t)from->reason,
		};

		vcpu_record(vcpu, &record.record);
		relay->tail++;
	}
}

int monitor_write(struct vcpu *vcpu, uint64_t field, uint64_t value)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	if (!vcpu->relay_waits || relay->write_count >= RELAY_WRITES_MAX)
		return -EPERM;
	relay->writes[relay->write_count++] = (struct relay_write){.field = field, .value = value};
	return 0;
}

static void inject(struct relay_vcpu *relay, uint64_t vector)
{
	relay->action = RELAY_INJECT;
	relay->vector = vector;
	relay->error_code = 0;
}

#define VECTOR_UD 6
#define VECTOR_GP 13
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void answer_hypercall(struct vcpu *vcpu, struct relay_vcpu *relay)
{
	relay->action = RELAY_STEP;
	if (relay->regs[RAX] == SS_HYPERCALL_REQUEST)
		service_request(vcpu->vm, (uint32_t)relay->regs[RDI]);
	else if (vcpu->vm->on_null_hypercall)
		vcpu->vm->on_null_hypercall(vcpu);
	relay->regs[RAX] = 0;
}

/* The whole method carried out by the VMM: what the words leave undecided it keeps in the shadow. */
static void answer_cr0_write(struct vcpu *vcpu, struct relay_vcpu *relay)
{
	struct flag_words words = {relay->owned, relay->kept, relay->shadow, relay->cr0};

	words.shadow ^= flags_write(&words, relay->wanted);
	relay->shadow = words.shadow;
	relay->action = RELAY_STEP;
	vcpu->vm->plan->engine->load_cr0(vcpu, words.value, words.shadow);
}

static void answer_vmfunc(struct vcpu *vcpu, struct relay_vcpu *relay)
{
	uint64_t rax;
	bool ud;

	if (view_function(vcpu->vm, (uint32_t)relay->regs[RAX], (uint32_t)relay->regs[RCX], &ud,
			  &rax) != 0 ||
	    ud) {
		inject(relay, VECTOR_UD);
		return;
	}
	relay->regs[RAX] = rax;
	relay->action = RELAY_STEP;
}

static void answer_violation(struct vcpu *vcpu, struct relay_vcpu *relay,
			     const struct monitor_exit *exit)
{
	int view = monitor_view_of(vcpu->vm, relay->pointer);
	struct violation violation = {
		.view = view < 0 ? UINT32_MAX : (uint32_t)view,
		.gpa = relay->gpa,
		.rip = relay->rip,
		.access = exit->access,
	};
	unsigned length;

	if (!guest_ram_contains(vcpu->vm->ram.size, gpa_at(relay->gpa), 1)) {
		/* No view maps it, and no memory could be there. */
		vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
			"vcpu%u accessed 0x%llx at rip 0x%llx, where there is neither memory nor a "
			"device, in operation %s",
			vcpu->index, (unsigned long long)relay->gpa, (unsigned long long)relay->rip,
			image_operation_name(&vcpu->vm->plan->image, vcpu_operation(vcpu)));
		return;
	}
	report_violation(vcpu, &violation);
	/* What was read is all ones, what was written is dropped. */
	if (refuse_access(vcpu->vm, exit->cr3, relay->rip, relay->regs, &length) == 0) {
		relay->length = length;
		relay->action = RELAY_STEP;
	} else {
		inject(relay, VECTOR_GP);
	}
}

void monitor_answer(struct vcpu *vcpu, const struct monitor_exit *exit)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->action = RELAY_RESUME;
	switch (exit->event) {
	case EVENT_HYPERCALL:
		answer_hypercall(vcpu, relay);
		break;
	case EVENT_CR0_WRITE:
		answer_cr0_write(vcpu, relay);
		break;
	case EVENT_VIOLATION:
		answer_violation(vcpu, relay, exit);
		break;
	case EVENT_VMFUNC:
		answer_vmfunc(vcpu, relay);
		break;
	case EVENT_UNDEFINED:
		inject(relay, VECTOR_UD);
		break;
	case EVENT_PROTECTED:
		inject(relay, VECTOR_GP);
		break;
	case EVENT_IGNORED:
		relay->action = RELAY_STEP;
		break;
	default:
		vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
			"%s (reason %llu, error %llu) of vcpu%u at rip 0x%llx in operation %s",
			exit->name, (unsigned long long)relay->reason,
			(unsigned long long)relay->error, vcpu->index,
			(unsigned long long)relay->rip,
			image_operation_name(&vcpu->vm->plan->image, vcpu_operation(vcpu)));
	}
}
