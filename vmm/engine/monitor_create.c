/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/monitor_create.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "views/service.h"
#include "vmm/engine/memory_slot.h"
#include "vmm/engine/relay_exit.h"
#include "vmm/guest/boot.h"
#include "vmm/guest/descriptor.h"
#include "vmm/plan/engine_target.h"
#include "vmm/vm/pc.h"
#include "vmm/vm/vcpu.h"

#define PTE_TABLE 3u
#define PTE_LEAF 0x83u
#define SHADOW_PAGES_MIN 1024
#define VECTOR_NMI 2

_Static_assert(RELAY_BASE >= RAM_HOLE_BASE && RELAY_BASE + RELAY_SIZE <= SS_MMIO_GPA,
	       "the monitor lies in the hole of guest memory");
_Static_assert(RELAY_IMAGE + RELAY_IMAGE_MAX <= RELAY_CONTROL, "overlap");
_Static_assert(RELAY_CONTROL + SS_MAX_VCPUS * 0x2000 <= RELAY_LISTS, "overlap");
_Static_assert(RELAY_LISTS + SS_MAX_VCPUS * GPA_PAGE_SIZE <= RELAY_VCPUS, "overlap");
_Static_assert(RELAY_VCPUS + SS_MAX_VCPUS * RELAY_VCPU_STRIDE <= RELAY_RINGS, "overlap");
_Static_assert(RELAY_RINGS <= RELAY_BASE + GPA_LARGE_PAGE_SIZE, "what every run touches is in one large page");
_Static_assert(RELAY_RINGS + SS_MAX_VCPUS * RELAY_RING_RECORDS * sizeof(struct relay_record) <=
		       RELAY_DECODED,
	       "overlap");
_Static_assert(RELAY_DECODED + SS_MAX_VCPUS * RELAY_DECODED_STRIDE <= RELAY_TABLES, "overlap");
_Static_assert(RELAY_TABLES + RELAY_TABLES_SIZE <= RELAY_BASE + RELAY_SIZE, "overlap");
_Static_assert(RELAY_PORT != SS_PORT_CONTROL, "overlap");

static uint64_t shown(const struct monitor *monitor, uint64_t address)
{
	return address - RELAY_BASE < RELAY_SIZE ? address - RELAY_BASE + monitor->physical : address;
}

/* L1's own address space: everything but the monitor itself one to one, above 4 GiB in pages of 1 GiB, and the
 * descriptors that an exit loads. */
static void write_tables(const struct monitor *monitor, uint64_t high)
{
	uint64_t *pml4 = monitor_at(monitor, RELAY_PML4), *pdpt = monitor_at(monitor, RELAY_PDPT);
	uint64_t *gdt = monitor_at(monitor, RELAY_GDT), *idt = monitor_at(monitor, RELAY_IDT);

	pml4[0] = shown(monitor, RELAY_PDPT) | PTE_TABLE;
	for (uint64_t g = 0; g < 4; g++) {
		uint64_t *pd = monitor_at(monitor, RELAY_PD + 4096 * g);

		pdpt[g] = shown(monitor, RELAY_PD + 4096 * g) | PTE_TABLE;
		for (uint64_t i = 0; i < 512; i++)
			pd[i] = shown(monitor, g << 30 | i << 21) | PTE_LEAF;
	}
	for (uint64_t g = RAM_HIGH_BASE >> 30; g < 512 && g << 30 < RAM_HIGH_BASE + high && high; g++)
		pdpt[g] = g << 30 | PTE_LEAF;
	gdt[SS_SEL_CODE / 8] = DESCRIPTOR_CODE;
	gdt[SS_SEL_DATA / 8] = DESCRIPTOR_DATA;
	gdt[SS_SEL_TSS / 8] = descriptor_tss(RELAY_TSS);
	idt[2 * VECTOR_NMI] = descriptor_gate(RELAY_NMI, SS_SEL_CODE);
}

/* KVM shadows the hierarchies and by default allows itself a number of pages that follows from the size
 * of memory, too few for hundreds of views: it would rebuild them at every switch. */
static int allow_shadow_pages(struct vm *vm, const struct monitor *monitor)
{
	/* Guests of one monitor have the same views. The memory of a kernel may be in small pages all over. */
	const uint64_t small = vm->pc ? vm->policy.view_count * (vm->ram.size / GPA_LARGE_PAGE_SIZE) : 0;
	unsigned long pages = 8 * (unsigned long)monitor->views->tables_total * (vm->slot + 1) +
			      SHADOW_PAGES_MIN + small;

	return ioctl(vm->fd, KVM_SET_NR_MMU_PAGES, pages) == 0 ? 0 : -errno;
}

static int show_memory(struct vm *vm, const struct monitor *monitor)
{
	const struct gpa_range low = {gpa_at(vm->base), guest_ram_low(&vm->ram)};
	const struct gpa_range high = {gpa_at(RAM_HIGH_BASE), guest_ram_high(&vm->ram)};
	const struct gpa_range memory = {gpa_at(RELAY_BASE), RELAY_SIZE};
	int rc;

	if (vm->leader != vm)
		return memory_slot_set(vm, MONITOR_SLOT_GUESTS + vm->slot, low, vm->ram.host, 0);
	rc = memory_slot_set(vm, MONITOR_SLOT_LOW, low, vm->ram.host, 0);
	if (rc == 0 && high.size)
		rc = memory_slot_set(vm, MONITOR_SLOT_HIGH, high, vm->ram.host + low.size, 0);
	if (rc == 0 && vm->pc)
		rc = memory_slot_set(vm, MONITOR_SLOT_PAGES,
				     (struct gpa_range){gpa_at(RELAY_PAGES), vm->plan->vcpus * sizeof(*vm->pc->pages)},
				     vm->pc->pages, 0);
	return rc == 0 ? memory_slot_set(vm, MONITOR_SLOT_MEMORY, memory, monitor->host, 0) : rc;
}

static int set_slots(struct vm *vm, const struct monitor *monitor, struct error *error)
{
	int rc = show_memory(vm, monitor);

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_SET_USER_MEMORY_REGION: %s",
				 strerror(-rc));
	rc = allow_shadow_pages(vm, monitor);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_SET_NR_MMU_PAGES: %s",
				 strerror(-rc));
	return 0;
}

/* The device page is mapped without memory behind it, so that L0 hands accesses to the VMM. Without an L0 there would be
 * the computer's own devices. */
static size_t shown_ranges(const struct vm *vm, struct gpa_range ranges[ENGINE_RANGES_MAX])
{
	const size_t count = engine_ranges(vm->plan->platform, vm->ram.size, ranges);

	return vm->plan->bare ? 1 : count;
}

static int build_views(struct vm *vm, struct monitor *monitor, const struct paging_caps *caps,
		       struct error *error)
{
	struct gpa_range ranges[ENGINE_RANGES_MAX];
	const struct view_target target = {
		.memory = {ranges, shown_ranges(vm, ranges)},
		.moved = vm->base ? vm->ram.size : 0,
		.offset = vm->base,
		.format = vm->plan->engine->format,
		.caps = *caps,
	};
	const uint64_t share =
		RELAY_TABLES_SIZE / (vm->plan->share_vcpu ? vm->plan->vms : 1) & ~UINT64_C(4095);
	const uint64_t tables = RELAY_TABLES + share * vm->slot;
	struct table_arena arena = {
		.base = gpa_at(monitor_physical(vm, tables)),
		.host = monitor_at(monitor, tables),
		.size = share,
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
	monitor->list = monitor_at(monitor, monitor_list(vm));
	eptp_list_build(vm->view_list, monitor->views);
	for (size_t i = 0; i < monitor->views->count; i++)
		vm->view_list[i] = ept_pointer(monitor->views->view[i].root, caps);
	memcpy(monitor->list, vm->view_list, sizeof(vm->view_list));
	return 0;
}

/* Where nothing is in a computer's block any more. */
static uint64_t behind_guests(const struct vm *vm)
{
	const uint64_t last = plan_base(vm->plan, vm->plan->vms - 1);

	return gpa_whole_large(last + vm->ram.size);
}

/*
 * What every run touches but for the tables of views is within one of the host's large pages, where the kernel gives those to
 * everybody: KVM looks at the control structure at each of the relay's exits, and finds it in fewer steps. The first tables
 * are in small pages: a large one takes as long to clear as hundreds of these, of which a run needs a few if it has few views
 * and changes little.
 */
static int make_memory(struct monitor *monitor)
{
	struct guest_ram memory;
	int rc = guest_ram_create_aligned(&memory, RELAY_SIZE);

	if (rc != 0)
		return rc;
	monitor->host = memory.host;
	guest_ram_prefer_large(&(struct guest_ram){monitor_at(monitor, RELAY_TABLES), GPA_LARGE_PAGE_SIZE}, false);
	return 0;
}

/* Memory, and what is in it. */
static int fill_memory(struct vm *vm, struct monitor *monitor, const void *relay, size_t relay_size,
		       struct error *error)
{
	if (vm->leader != vm) {
		monitor->host = vm_monitor(vm->leader)->host;
		monitor->physical = vm_monitor(vm->leader)->physical;
		return 0;
	}
	if (make_memory(monitor) != 0)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "no memory for the monitor");
	monitor->physical = vm->plan->bare ? behind_guests(vm) : RELAY_BASE;
	if (relay_size > RELAY_IMAGE_MAX)
		return error_set(error, -EFBIG, STATUS_INTERNAL, "the relay is too large");
	memcpy(monitor_at(monitor, RELAY_IMAGE), relay, relay_size);
	write_tables(monitor, guest_ram_high(&vm->ram));
	if (vm->plan->share_vcpu)
		monitor_share(vm, monitor);
	else if (vm->plan->bare)
		monitor_keep_msrs(vm, monitor);
	return 0;
}

int monitor_prepare(struct vm *vm, const uint8_t *relay, const uint8_t *relay_end, struct error *error)
{
	const struct paging_caps *caps = &vm->plan->offer.caps;
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int rc;

	vm->engine_data = monitor;
	if (!monitor)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = fill_memory(vm, monitor, relay, (size_t)(relay_end - relay), error);
	if (rc == 0)
		rc = build_views(vm, monitor, caps, error);
	if (rc != 0)
		return rc;
	vm->vmfunc = (struct vmfunc_state){
		.list = vm->view_list,
		.eptp = vm->view_list[0],
		.caps = *caps,
	};
	service_configure(&vm->vmfunc, vm->service_table);
	return 0;
}

int monitor_create(struct vm *vm, const uint8_t *relay, const uint8_t *relay_end, struct error *error)
{
	int rc = monitor_prepare(vm, relay, relay_end, error);

	if (rc == 0)
		rc = set_slots(vm, vm_monitor(vm), error);
	return rc == 0 ? relay_exit_attach(vm, error) : rc;
}

void monitor_destroy(struct vm *vm)
{
	struct monitor *monitor = vm_monitor(vm);

	if (!monitor)
		return;
	if (monitor->host && vm->leader == vm)
		munmap(monitor->host, RELAY_SIZE);
	ept_live_destroy(monitor->live);
	free(monitor->views);
	free(monitor);
	vm->engine_data = NULL;
}

/* The flags of CR4 that KVM lets this vCPU have, by trying; all others are reserved. */
static uint64_t supported_cr4(const struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	uint64_t supported = 0;

	for (unsigned bit = 0; bit < 32; bit++) {
		struct kvm_sregs tried = *sregs;

		tried.cr4 |= UINT64_C(1) << bit;
		if (ioctl(vcpu->fd, KVM_SET_SREGS, &tried) == 0)
			supported |= UINT64_C(1) << bit;
	}
	/* What a try has left behind goes again. */
	ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
	return supported;
}

/* Of the page in which a vCPU says what it is doing, in L1's addresses. */
static uint64_t page_address(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	return vm->pc ? RELAY_PAGES + vcpu->index * sizeof(*vm->pc->pages)
		      : vm->base + boot_vcpu_page(vcpu->index).v;
}

int monitor_prepare_vcpu(struct vcpu *vcpu, size_t size, const struct kvm_sregs *sregs, struct error *error)
{
	vcpu->engine_data = calloc(1, size);
	if (!vcpu->engine_data)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	*monitor_vcpu(vcpu) = (struct relay_vcpu){
		.control = monitor_physical(vcpu->vm, monitor_control(vcpu)),
		.cr0 = {.words.value = sregs->cr0, .fixed1 = UINT64_MAX},
		.cr4 = {.words.value = sregs->cr4, .fixed1 = UINT64_MAX},
		.views = vcpu->vm->policy.view_count,
		.marker = page_address(vcpu) + offsetof(struct ss_vcpu_page, marker),
		.ring = monitor_ring(vcpu),
		.home = vcpu->vm->view_list[0],
		.vmfunc.eptp = vcpu->vm->view_list[0],
		.decoded = monitor_decoded(vcpu),
		.changes = vcpu->vm->plan->vcpus == 1 && !vcpu->vm->plan->bare ? monitor_changes(vcpu) : 0,
	};
	vcpu->interrupts = &monitor_vcpu(vcpu)->interrupts;
	interrupts_init(vcpu->interrupts);
	return 0;
}

int monitor_create_vcpu(struct vcpu *vcpu, size_t size, struct kvm_sregs *ret_sregs,
			struct error *error)
{
	int rc = vcpu_start(vcpu, error);

	if (rc != 0)
		return rc;
	rc = vcpu_sregs(vcpu, ret_sregs);
	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "KVM_GET_SREGS: %s", strerror(-rc));
	rc = monitor_prepare_vcpu(vcpu, size, ret_sregs, error);
	if (rc != 0)
		return rc;
	monitor_vcpu(vcpu)->cr4.fixed1 = supported_cr4(vcpu, ret_sregs);
	return vcpu->vm->plan->share_vcpu ? monitor_share_vcpu(vcpu, error) : 0;
}

void monitor_destroy_vcpu(struct vcpu *vcpu)
{
	vcpu->interrupts = &vcpu->own_interrupts;
	free(vcpu->engine_data);
	vcpu->engine_data = NULL;
}
