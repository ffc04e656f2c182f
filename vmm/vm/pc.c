/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/pc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "devices/pc_map.h"
#include "vmm/pc/acpi.h"
#include "vmm/pc/pc_boot.h"

/* Guest-physical pages that KVM on Intel needs for real mode; above everything that a device has. */
#define IDENTITY_MAP 0xfffbc000
#define TASK_STATE 0xfffbd000

#define NS_PER_S UINT64_C(1000000000)
#define KHZ_UNKNOWN 1000000
#define RFLAGS_FIXED 2
#define CR0_PE 1u
#define CR0_ET 0x10u
#define CR0_NE 0x20u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define EFER_LONG_MODE 0x500
#define TYPE_CODE 11
#define TYPE_DATA 3
#define TYPE_TSS 11

static int failed(struct error *error, const char *what)
{
	int rc = errno ? -errno : -EIO;

	return error_set(error, rc, STATUS_INTERNAL, "%s: %s", what, strerror(-rc));
}

static int create_controllers(struct vm *vm, struct error *error)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	uint64_t identity = IDENTITY_MAP;

	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) != 0)
		return failed(error, "KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TASK_STATE) != 0)
		return failed(error, "KVM_SET_TSS_ADDR");
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) != 0)
		return failed(error, "KVM_CREATE_IRQCHIP");
	if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) != 0)
		return failed(error, "KVM_CREATE_PIT2");
	return 0;
}

static int connect_serial(struct vm *vm, struct error *error)
{
	struct kvm_irqfd irqfd = {.gsi = PC_SERIAL_IRQ};

	vm->pc->serial_irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->pc->serial_irq < 0)
		return failed(error, "eventfd");
	irqfd.fd = (uint32_t)vm->pc->serial_irq;
	return ioctl(vm->fd, KVM_IRQFD, &irqfd) == 0 ? 0 : failed(error, "KVM_IRQFD");
}

int pc_fill_memory(struct vm *vm, struct error *error)
{
	struct pc *pc = calloc(1, sizeof(*pc));
	const struct plan *plan = vm->plan;
	/* Linux has KVM's clock, unless it is nested; at a timer it would look for 5 ms, and then not use it. */
	bool timer = !image_format_is_linux(plan->image.format) || engine_has_monitor(plan->engine);

	if (!pc)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	vm->pc = pc;
	pc->vm = vm;
	pc->serial_irq = pc->wake_fd = -1;
	pc->pages = aligned_alloc(sizeof(*pc->pages), plan->vcpus * sizeof(*pc->pages));
	if (!pc->pages)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	memset(pc->pages, 0, plan->vcpus * sizeof(*pc->pages));
	/* A page that the test device has forgotten must not come back with its neighbours. */
	guest_ram_prefer_large(&vm->ram, plan->image.format != IMAGE_MULTIBOOT);
	return pc_boot_write(&vm->ram, &plan->image, &plan->boot.boot, acpi_write(&vm->ram, plan->vcpus, timer),
			     &pc->start, error);
}

int pc_create(struct vm *vm, struct error *error)
{
	int rc = create_controllers(vm, error);

	return rc == 0 ? connect_serial(vm, error) : rc;
}

void pc_destroy(struct vm *vm)
{
	if (!vm->pc)
		return;
	if (vm->pc->serial_irq >= 0)
		close(vm->pc->serial_irq);
	free(vm->pc->pages);
	free(vm->pc);
	vm->pc = NULL;
}

/* By the time stamp counter: the thread of a vCPU may not ask the kernel. */
static uint64_t nanoseconds(void *opaque)
{
	const struct pc *pc = opaque;
	unsigned __int128 ticks = __rdtsc() - pc->epoch_tsc;

	return pc->epoch_ns + (uint64_t)(ticks * 1000000 / pc->tsc_khz);
}

void pc_start_clock(struct vm *vm, uint64_t tsc_khz)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	vm->pc->epoch_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	vm->pc->epoch_tsc = __rdtsc();
	vm->pc->tsc_khz = tsc_khz ? tsc_khz : KHZ_UNKNOWN;
}

static void raise_serial(void *opaque)
{
	eventfd_write(((struct pc *)opaque)->serial_irq, 1);
}

static void serial_hungry(void *opaque)
{
	const struct pc *pc = opaque;

	if (pc->wake_fd >= 0)
		eventfd_write(pc->wake_fd, 1);
}

static void listen(void *opaque, uint8_t byte)
{
	panic_text_take(&((struct pc *)opaque)->panic, byte);
}

static void set_line(void *opaque, unsigned gsi, bool level)
{
	struct kvm_irq_level line = {.irq = gsi, .level = level};

	ioctl(((struct pc *)opaque)->vm->fd, KVM_IRQ_LINE, &line);
}

static void flush(void *opaque, uint32_t gpa)
{
	struct vm *vm = ((struct pc *)opaque)->vm;

	if (vm->ops->forget_page)
		vm->ops->forget_page(vm, gpa_at(gpa));
}

static void init_devices(struct vm *vm)
{
	struct pc *pc = vm->pc;
	const struct test_device_owner owner = {flush, set_line, pc};

	pc->clock = (struct clock){nanoseconds, pc};
	serial_connect(&vm->serial, raise_serial, serial_hungry, pc);
	vm->serial.sent = listen;
	cmos_init(&pc->cmos, &pc->clock, vm->ram.size);
	acpi_pm_init(&pc->acpi_pm, &pc->clock, &pc->power);
	fw_cfg_init(&pc->fw_cfg, vm->ram.size, (uint16_t)vm->plan->vcpus);
	test_device_init(&pc->test, &owner);
}

int pc_claim(struct vm *vm)
{
	struct pc *pc = vm->pc;
	const struct {
		struct bus *bus;
		uint64_t base, length;
		const struct bus_ops *ops;
		void *device;
	} claims[] = {
		{&vm->ports, PC_SERIAL_PORT, SERIAL_PORTS, &serial_bus_ops, &vm->serial},
		{&vm->ports, PC_CMOS_PORT, CMOS_PORTS, &cmos_bus_ops, &pc->cmos},
		{&vm->ports, PC_KEYBOARD_DATA, 1, &keyboard_data_ops, &pc->power},
		{&vm->ports, PC_KEYBOARD_COMMAND, 1, &keyboard_command_ops, &pc->power},
		{&vm->ports, PC_PORT_92, 1, &port_92_ops, &pc->power},
		{&vm->ports, PC_RESET_CONTROL, 1, &reset_control_ops, &pc->power},
		{&vm->ports, PC_PANIC_PORT, 1, &panic_ops, &pc->power},
		{&vm->ports, PC_PM1_EVENT, PC_PM1_EVENT_SIZE, &acpi_pm_event_ops, &pc->acpi_pm},
		{&vm->ports, PC_PM1_CONTROL, PC_PM1_CONTROL_SIZE, &acpi_pm_control_ops, &pc->acpi_pm},
		{&vm->ports, PC_PM_TIMER, PC_PM_TIMER_SIZE, &acpi_pm_timer_ops, &pc->acpi_pm},
		{&vm->ports, PC_ACPI_RESET, 1, &acpi_reset_ops, &pc->acpi_pm},
		{&vm->ports, PC_FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_bus_ops, &pc->fw_cfg},
		{&vm->ports, PC_TEST_LATCH, PC_TEST_LATCH_SIZE, &test_latch_ops, &pc->test},
		{&vm->ports, PC_TEST_FLUSH, 4, &test_flush_ops, &pc->test},
		{&vm->ports, PC_TEST_IRQ, PC_TEST_IRQ_COUNT, &test_irq_ops, &pc->test},
		{&vm->ports, PC_TEST_EXIT, 4, &debug_exit_ops, &vm->exit_port},
		{&vm->ports, SS_PORT_DEBUG, 1, &debug_console_ops, vm->console},
		{&vm->mmio, PC_TEST_MEMORY, PC_TEST_MEMORY_SIZE, &test_memory_ops, &pc->test},
	};
	int rc = 0;

	init_devices(vm);
	for (size_t i = 0; rc == 0 && i < sizeof(claims) / sizeof(claims[0]); i++)
		rc = bus_claim(claims[i].bus, claims[i].base, claims[i].length, claims[i].ops, claims[i].device);
	return rc;
}

static void set_segments(struct kvm_sregs *sregs, const struct pc_start *start)
{
	sregs->cs = (struct kvm_segment){
		.limit = 0xffffffff, .selector = PC_SELECTOR_CODE, .type = TYPE_CODE, .present = 1,
		.s = 1, .l = start->long_mode, .db = !start->long_mode, .g = 1,
	};
	sregs->ds = (struct kvm_segment){
		.limit = 0xffffffff, .selector = PC_SELECTOR_DATA, .type = TYPE_DATA, .present = 1,
		.s = 1, .db = 1, .g = 1,
	};
	sregs->es = sregs->fs = sregs->gs = sregs->ss = sregs->ds;
	sregs->tr = (struct kvm_segment){.limit = 0x67, .type = TYPE_TSS, .present = 1};
	sregs->ldt = (struct kvm_segment){.unusable = 1};
	sregs->gdt.base = start->gdt;
	sregs->gdt.limit = start->gdt_limit;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
}

void pc_start_state(const struct vm *vm, struct kvm_sregs *sregs, struct kvm_regs *ret_regs)
{
	const struct pc_start *start = &vm->pc->start;

	*ret_regs = (struct kvm_regs){
		.rip = start->rip,
		.rax = start->rax,
		.rbx = start->rbx,
		.rsi = start->rsi,
		.rsp = start->rsp,
		.rflags = RFLAGS_FIXED,
	};
	set_segments(sregs, start);
	sregs->cr0 = CR0_PE | CR0_ET | (start->long_mode ? CR0_PG | CR0_NE : 0);
	sregs->cr3 = start->cr3;
	sregs->cr4 = start->long_mode ? CR4_PAE : 0;
	sregs->efer = start->long_mode ? EFER_LONG_MODE : 0;
}

/* A kernel that has panicked resets its computer, if it has been told so, or stays. */
static bool has_panicked(struct vm *vm)
{
	const struct panic_text *panic = &vm->pc->panic;
	const enum power_event event = vm->pc->power.event;

	if (!panic->text[0] || (event == POWER_NONE && !panic->ended))
		return false;
	vm_stop(vm, STOP_GUEST, STATUS_FAILED, "kernel panic: %s%s%s", panic->text, event == POWER_NONE ? "" : "; then ",
		event == POWER_NONE ? "" : power_event_text(event));
	return true;
}

void pc_look_at_power(struct vm *vm)
{
	static const enum stop_cause causes[POWER_EVENT_COUNT] = {
#define X(name, text, cause) [POWER_##name] = STOP_##cause,
		POWER_EVENTS(X)
#undef X
	};
	enum power_event event = vm->pc->power.event;

	if (!has_panicked(vm) && event != POWER_NONE)
		vm_stop(vm, causes[event], causes[event] == STOP_GUEST ? STATUS_FAILED : STATUS_SUCCESS, "%s",
			power_event_text(event));
}

/* A vCPU that halts with interrupts off waits for an NMI or INIT, which only another vCPU could send; so does one that has
 * never been started. */
static bool is_asleep(struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	if (ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) != 0)
		return false;
	if (state.mp_state == KVM_MP_STATE_HALTED)
		return !vcpu->run->if_flag;
	return state.mp_state == KVM_MP_STATE_UNINITIALIZED || state.mp_state == KVM_MP_STATE_INIT_RECEIVED;
}

bool pc_all_halted(struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	if (!is_asleep(vcpu)) {
		atomic_store(&vcpu->asleep, 0);
		return false;
	}
	atomic_fetch_add(&vcpu->asleep, 1);
	for (unsigned i = 0; i < vm->plan->vcpus; i++)
		if (atomic_load(&vm->vcpus[i].asleep) < 2)
			return false;
	return true;
}

size_t pc_type(struct vm *vm, const uint8_t *bytes, size_t count)
{
	size_t taken;

	pthread_mutex_lock(&vm->lock);
	taken = serial_receive(&vm->serial, bytes, count);
	pthread_mutex_unlock(&vm->lock);
	return taken;
}
