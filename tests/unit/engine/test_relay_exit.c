/* SPDX-License-Identifier: GPL-2.0-only */
/* What the VMM makes of exits that the relay passes on: of accesses that a view forbids, or that lead nowhere, of
 * requests, and of what nothing can be done about. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/engine/monitor.h"
#include "vmm/engine/relay_exit.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"
#include "vmm/plan/plan.h"
#include "vmm/vm/pc.h"
#include "vmm/vm/vcpu.h"

#define MIB (UINT64_C(1) << 20)
#define MEMORY (16 * MIB)
#define EPTP 0xc200001e
#define TEXT UINT64_C(0xffffffff81000000)
#define MOVED UINT64_C(0x2e000000)
#define NO_TABLES 0x800000 /* so that nothing is mapped */
#define CODE 0x400000	   /* where memory has something else than zeroes, but nobody knows a symbol */
#define WHERE "vcpu0 at rip 0x400000"
#define REQUEST 0x500000
#define UD 6
#define DF 8
#define PF 14
#define DELIVERED(vector) (0x80000300 | (vector)) /* an exception */

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static struct image_symbol of_image[] = {{.address = 0x100000, .size = 0x100, .name = "main"}};
static struct image_segment segment = {.gpa = {0x100000}, .address = 0x100000, .memory_size = 0x1000};
static struct image_symbol of_file[] = {
	{.address = TEXT, .name = "_text"}, {.address = TEXT + 0x1000, .name = "do_idle"}};
static struct symbol_set_file file = {.file = {.symbols = of_file, .count = 2, .anchors = {TEXT}, .anchor_count = 1}};
static struct ss_operation operations[] = {{.name = "an.operation"}};
static const struct ss_request request = {.size = sizeof(request), .number = UINT32_MAX};
static struct monitor monitor;
static struct plan plan;
static struct pc pc;
static struct vm vm;
static struct vcpu vcpu;
static struct ss_vcpu_page page;
static struct monitor_exit said; /* by the engine */
static struct relay_vcpu *relay;
static bool sregs_fail;

static void describe(struct vcpu *asked, struct monitor_exit *ret_exit)
{
	assert_ptr_equal(asked, &vcpu);
	*ret_exit = said;
}

static int view_current(struct vcpu *asked)
{
	assert_ptr_equal(asked, &vcpu);
	return 0;
}

/* In 64-bit mode, where nothing is mapped. */
static int guest_sregs(struct vcpu *asked, struct kvm_sregs *ret_sregs)
{
	assert_ptr_equal(asked, &vcpu);
	*ret_sregs = (struct kvm_sregs){.cr0 = 0x80000001, .cr3 = NO_TABLES, .efer = 0x500, .cs.l = 1};
	return sregs_fail ? -EIO : 0;
}

static void finish(void)
{
	recorder_destroy(vcpu.recorder);
	policy_finish(&vm.policy);
	guest_ram_destroy(&vm.ram);
}

/* A guest of sidestep's own in its first operation, or a kernel that lies higher than its file of symbols says. */
static void start(enum platform platform)
{
	static const struct engine_ops ops = {
		.describe = describe, .view_current = view_current, .guest_sregs = guest_sregs};
	static struct kvm_cpuid2 cpuid;
	static const struct host host = {.cpuid = &cpuid};
	const bool kernel = platform == PLATFORM_PC;

	finish();
	plan = (struct plan){.engine = engine_by_key("svm"), .platform = platform, .on_violation = ON_VIOLATION_STOP};
	if (kernel)
		plan.symbols = (struct symbol_set){.files = &file, .count = 1, .kernel = &file};
	else
		plan.image = (struct image){.symbols = of_image, .symbol_count = 1, .segments = &segment,
					    .segment_count = 1, .operations = operations, .operation_count = 1};
	vm = (struct vm){.plan = &plan, .host = &host, .ops = &ops, .engine_data = &monitor, .pc = kernel ? &pc : NULL,
			 .lock = PTHREAD_MUTEX_INITIALIZER, .stop_lock = PTHREAD_MUTEX_INITIALIZER,
			 .view_list = {EPTP}, .active = &vcpu, .kernel_found = kernel, .kernel_offset = MOVED};
	page = (struct ss_vcpu_page){.marker.operation = !kernel};
	vcpu = (struct vcpu){.vm = &vm, .fd = -1, .page = &page};
	vcpu.recorder = recorder_create(0, 0, &plan.image, &page);
	assert_non_null(vcpu.recorder);
	assert_int_equal(guest_ram_create(&vm.ram, MEMORY), 0);
	assert_int_equal(policy_add_view(&vm.policy, "first", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(relay_exit_attach(&vm, &(struct error){0}), 0);
	relay = monitor_vcpu(&vcpu);
	*relay = (struct relay_vcpu){.vmfunc.eptp = EPTP, .rip = CODE, .action = UINT64_MAX};
	said = (struct monitor_exit){.access = VIEW_WRITE, .cr3 = NO_TABLES};
}

static void pass(enum monitor_event event)
{
	const uint8_t any = 0;

	said.event = event;
	relay->pending = 1;
	bus_write(&vm.ports, RELAY_PORT, &any, 1);
	assert_int_equal(relay->pending, 0);
}

static void expect_stop(const char *text)
{
	assert_true(atomic_load(&vm.stop));
	assert_int_equal(vm.why.cause, STOP_GUEST);
	assert_int_equal(vm.why.status, STATUS_FAILED);
	assert_string_equal(vm.why.text, text);
}

/* What the operation is, of guests that have any; the function, if its address has one. */
static void what_ends_a_guest_says_where(void **state)
{
	static const struct {
		enum platform platform;
		uint64_t rip;
		const char *where;
	} rows[] = {
		{PLATFORM_SIDESTEP, 0x100020, "vcpu0 at rip 0x100020 (main+0x20) in operation an.operation"},
		{PLATFORM_SIDESTEP, CODE, WHERE " in operation an.operation"},
		{PLATFORM_PC, TEXT + MOVED + 0x1004, "vcpu0 at rip 0xffffffffaf001004 (do_idle+0x4)"},
		{PLATFORM_PC, CODE, WHERE},
	};
	char text[240];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(rows[i].platform);
		said.name = "A NAME";
		relay->reason = 127;
		relay->error = 5;
		relay->rip = rows[i].rip;
		pass(EVENT_UNKNOWN);
		snprintf(text, sizeof(text), "A NAME (reason 127, error 5); %s", rows[i].where);
		expect_stop(text);
		start(rows[i].platform);
		relay->rip = rows[i].rip;
		pass(EVENT_TRIPLE_FAULT);
		snprintf(text, sizeof(text),
			 "triple fault: #PF (vector 14, error code 0x0) for 0x%llx at (no instruction) could not be delivered: "
			 "no IDT is loaded; %s",
			 (unsigned long long)rows[i].rip, rows[i].where);
		expect_stop(text);
	}
}

static void a_triple_fault_of_which_nothing_is_known(void **state)
{
	(void)state;
	start(PLATFORM_SIDESTEP);
	sregs_fail = true;
	pass(EVENT_TRIPLE_FAULT);
	sregs_fail = false;
	expect_stop("triple fault: an exception could not be delivered; " WHERE " in operation an.operation");
}

/* Of a kernel without a file of symbols. */
static void without_names(void **state)
{
	(void)state;
	start(PLATFORM_PC);
	plan.symbols = (struct symbol_set){0};
	said.name = "A NAME";
	relay->rip = TEXT;
	pass(EVENT_UNKNOWN);
	expect_stop("A NAME (reason 0, error 0); vcpu0 at rip 0xffffffff81000000");
}

/* Views govern memory and the devices of the platform; elsewhere there is nothing. */
static void governed(void **state)
{
	static const struct {
		enum platform platform;
		uint64_t gpa;
		bool governed;
		const char *text;
	} rows[] = {
		{PLATFORM_SIDESTEP, 0, true, "0x0"},
		{PLATFORM_SIDESTEP, MEMORY - 1, true, "0xffffff"},
		{PLATFORM_SIDESTEP, MEMORY, false, "0x1000000"},
		{PLATFORM_SIDESTEP, 0xd0000000, true, "0xd0000000"},
		{PLATFORM_SIDESTEP, 0xd0000fff, true, "0xd0000fff"},
		{PLATFORM_SIDESTEP, 0xd0001000, false, "0xd0001000"},
		{PLATFORM_SIDESTEP, 0xfec00000, false, "0xfec00000"},
		{PLATFORM_SIDESTEP, 0xfee00000, false, "0xfee00000"},
		{PLATFORM_PC, 0, true, "0x0"},
		{PLATFORM_PC, MEMORY, false, "0x1000000"},
		{PLATFORM_PC, 0xfec00000, true, "0xfec00000"},
		{PLATFORM_PC, 0xfec00fff, true, "0xfec00fff"},
		{PLATFORM_PC, 0xfec01000, false, "0xfec01000"},
		{PLATFORM_PC, 0xfee00300, true, "0xfee00300"},
		{PLATFORM_PC, 0xfedfffff, false, "0xfedfffff"},
		{PLATFORM_PC, 0xd0000000, false, "0xd0000000"},
	};
	char text[240];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *doing = rows[i].platform == PLATFORM_SIDESTEP ? " in operation an.operation" : "";

		start(rows[i].platform);
		relay->gpa = rows[i].gpa;
		pass(EVENT_VIOLATION);
		if (rows[i].governed)
			snprintf(text, sizeof(text), "view 0 (first) forbids a write at %s (no region); " WHERE "%s",
				 rows[i].text, doing);
		else
			snprintf(text, sizeof(text),
				 "an access to %s, where there is neither memory nor a device; " WHERE "%s",
				 rows[i].text, doing);
		expect_stop(text);
		assert_int_equal(vcpu.recorder->summary->violation_count, rows[i].governed);
	}
}

/* As with an address that nobody claims, if the instruction can do without; code of user space gets #UD, not the VM's
 * end, unless it was the processor's own access. */
static void nothing_there(void **state)
{
	static const uint8_t store[] = {0x89, 0x07}; /* mov %eax, (%rdi) */

	(void)state;
	for (unsigned user = 0; user < 2; user++) {
		start(PLATFORM_PC);
		assert_int_equal(guest_ram_write(&vm.ram, gpa_at(CODE), store, sizeof(store)), 0);
		said.mode.paging = GUEST_PAGING_NONE;
		said.cpl = user ? 3 : 0;
		relay->regs[RDI] = relay->gpa = 0xd0000000;
		pass(EVENT_VIOLATION);
		assert_int_equal(relay->action, RELAY_STEP);
		assert_int_equal(relay->length, sizeof(store));
		assert_false(atomic_load(&vm.stop));
	}
	for (unsigned way = 0; way < 3; way++) {
		start(PLATFORM_PC);
		said.cpl = 3;
		said.walk = way == 1;
		said.delivery = way == 2 ? DELIVERED(PF) : 0;
		relay->gpa = 0xd0000000;
		pass(EVENT_VIOLATION);
		if (way == 0) {
			assert_false(atomic_load(&vm.stop));
			assert_int_equal(relay->action, RELAY_INJECT);
			assert_int_equal(relay->vector, UD);
		} else {
			expect_stop("an access to 0xd0000000, where there is neither memory nor a device; " WHERE);
		}
		assert_int_equal(vcpu.recorder->summary->violation_count, 0);
	}
}

/* A violation where a fault is being delivered. */
static void faults_of_faults(void **state)
{
	static const char *const accesses[] = {[VIEW_READ] = "read", [VIEW_WRITE] = "write"};

	(void)state;
	for (unsigned access = VIEW_READ; access <= VIEW_WRITE; access++) {
		char text[240];

		start(PLATFORM_PC);
		plan.on_violation = ON_VIOLATION_INJECT;
		said.access = access;
		said.gva = 0x7000;
		said.gva_known = true;
		said.delivery = DELIVERED(PF);
		relay->gpa = 0xfec00010;
		pass(EVENT_VIOLATION);
		assert_false(atomic_load(&vm.stop));
		assert_int_equal(relay->action, RELAY_INJECT);
		assert_int_equal(relay->vector, DF);
		assert_int_equal(page.violation.sequence, 1);
		assert_int_equal(page.violation.gpa, 0xfec00010);
		said.delivery = DELIVERED(DF);
		relay->rip = TEXT + MOVED;
		pass(EVENT_VIOLATION);
		snprintf(text, sizeof(text),
			 "triple fault: a double fault could not be delivered, for view 0 forbids a %s at 0xfec00010; "
			 "vcpu0 at rip 0xffffffffaf000000 (_text+0x0)",
			 accesses[access]);
		expect_stop(text);
	}
}

/* Requests are about what a kernel does not have: none is looked at, wherever it is said to be. */
static void requests(void **state)
{
	static const uint32_t addresses[] = {REQUEST, 0xd0000000, UINT32_MAX};
	struct ss_request after;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
			start(PLATFORM_PC);
			assert_int_equal(guest_ram_write(&vm.ram, gpa_at(REQUEST), &request, sizeof(request)), 0);
			said.cpl = cpl;
			relay->regs[RAX] = SS_HYPERCALL_REQUEST;
			relay->regs[RDI] = addresses[i];
			pass(EVENT_HYPERCALL);
			assert_int_equal(relay->action, RELAY_STEP);
			assert_int_equal(relay->regs[RAX], (uint64_t)-ENOSYS);
			assert_false(atomic_load(&vm.stop));
			assert_int_equal(guest_ram_read(&vm.ram, gpa_at(REQUEST), &after, sizeof(after)), 0);
			assert_memory_equal(&after, &request, sizeof(after));
		}
	/* Of another guest it is looked at, and says itself what has become of it. */
	start(PLATFORM_SIDESTEP);
	assert_int_equal(guest_ram_write(&vm.ram, gpa_at(REQUEST), &request, sizeof(request)), 0);
	relay->regs[RAX] = SS_HYPERCALL_REQUEST;
	relay->regs[RDI] = REQUEST;
	pass(EVENT_HYPERCALL);
	assert_int_equal(relay->regs[RAX], 0);
	assert_int_equal(guest_ram_read(&vm.ram, gpa_at(REQUEST), &after, sizeof(after)), 0);
	assert_int_equal(after.status, -ENOSYS);
}

static int setup(void **state)
{
	(void)state;
	monitor.host = calloc(1, RELAY_SIZE);
	return monitor.host ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	finish();
	free(monitor.host);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ends_a_guest_says_where),
		cmocka_unit_test(a_triple_fault_of_which_nothing_is_known),
		cmocka_unit_test(without_names),
		cmocka_unit_test(governed),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(faults_of_faults),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests_name("relay_exit", tests, setup, teardown);
}
