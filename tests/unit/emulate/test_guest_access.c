/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory on behalf of a guest: who gets it, where it is, what is left alone, and what is asked of KVM. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"

#define PAGE UINT64_C(4096)
#define MEMORY (64 * PAGE)
#define RW (VIEW_READ | VIEW_WRITE)
#define IOPL 0x3000u

/* Regions of a page each. */
enum { READ_ONLY = 20, HIDDEN, MOVED, PLAIN, TARGET = 40 };

int __wrap_ioctl(int fd, unsigned long request, ...);

static unsigned asked_view, asked_kvm;
static int active_view, kvm_error;
static uint8_t kvm_dpl;
static struct kvm_run run;
static struct plan plan;
static struct vm vm;
static struct vcpu vcpu;

static int view_current(struct vcpu *asked)
{
	assert_ptr_equal(asked, &vcpu);
	asked_view++;
	return active_view;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	(void)fd;
	assert_int_equal(request, KVM_GET_SREGS);
	asked_kvm++;
	errno = kvm_error;
	if (kvm_error)
		return -1;
	va_start(args, request);
	va_arg(args, struct kvm_sregs *)->ss.dpl = kvm_dpl;
	va_end(args);
	return 0;
}

static void add_region(const char *name, uint64_t page)
{
	assert_int_equal(policy_add_region(&vm.policy, name, gpa_at(page * PAGE), PAGE, NULL), 0);
}

static int setup(void **state)
{
	static const struct engine_ops ops = {.view_current = view_current};

	(void)state;
	asked_view = asked_kvm = 0;
	active_view = kvm_error = 0;
	kvm_dpl = 0;
	run = (struct kvm_run){0};
	plan = (struct plan){0};
	vm = (struct vm){.plan = &plan, .ops = &ops, .lock = PTHREAD_MUTEX_INITIALIZER,
			 .stop_lock = PTHREAD_MUTEX_INITIALIZER};
	vcpu = (struct vcpu){.vm = &vm, .run = &run, .exit = {.rip = 0x1234}};
	vm.active = &vcpu;
	assert_int_equal(guest_ram_create(&vm.ram, MEMORY), 0);
	vcpu.page = guest_ram_at(&vm.ram, boot_vcpu_page(0), sizeof(*vcpu.page));
	for (uint64_t i = 0; i < MEMORY; i++)
		vm.ram.host[i] = (uint8_t)(i ^ i / PAGE);
	vcpu.page->marker.operation = 0;
	vcpu.recorder = recorder_create(0, 0, &plan.image, vcpu.page);
	assert_non_null(vcpu.recorder);
	add_region("read-only", READ_ONLY);
	add_region("hidden", HIDDEN);
	add_region("moved", MOVED);
	assert_int_equal(policy_add_view(&vm.policy, "all", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&vm.policy, "some", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_set_rights(&vm.policy, 1, 0, VIEW_READ), 0);
	assert_int_equal(policy_set_rights(&vm.policy, 1, 1, 0), 0);
	assert_int_equal(policy_set_rights(&vm.policy, 1, 2, VIEW_RIGHTS_ALL), 0);
	assert_int_equal(policy_set_remap(&vm.policy, 1, 2, gpa_at(TARGET * PAGE)), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	recorder_destroy(vcpu.recorder);
	policy_finish(&vm.policy);
	guest_ram_destroy(&vm.ram);
	return 0;
}

static struct guest_access by(unsigned cpl, unsigned rights)
{
	return (struct guest_access){.vcpu = &vcpu, .cpl = cpl, .rights = rights};
}

/* Byte by byte: what view `active_view` grants of it, and where that is. */
static int wanted(uint64_t gpa, uint64_t size, unsigned rights, uint64_t target[])
{
	if (gpa >= MEMORY || size > MEMORY - gpa)
		return -EFAULT;
	for (uint64_t i = 0; i < size; i++) {
		uint64_t page = (gpa + i) / PAGE;
		/* If the active view is not known: what all of them grant. */
		unsigned has = active_view == 0				? RW
			       : page == READ_ONLY			? VIEW_READ
			       : page == HIDDEN				? 0
			       : page == MOVED && active_view != 1 ? 0
									: RW;

		if (rights & ~has)
			return -EACCES;
		target[i] = gpa + i + (active_view == 1 && page == MOVED ? (TARGET - MOVED) * PAGE : 0);
	}
	return 0;
}

/* A read gives exactly the bytes that are shown, or leaves the caller's data alone; a write changes exactly
 * those, or nothing. */
static void check(uint64_t gpa, uint64_t size, unsigned rights)
{
	static uint8_t before[MEMORY], data[PAGE];
	static uint64_t target[PAGE];
	const struct guest_access access = by(0, rights);
	int rc = wanted(gpa, size, rights, target);

	memcpy(before, vm.ram.host, MEMORY);
	memset(data, 0xa5, sizeof(data));
	if (rights == VIEW_READ) {
		assert_int_equal(guest_access_read(&access, gpa, data, size), rc);
		for (uint64_t i = 0; i < size; i++)
			assert_int_equal(data[i], rc == 0 ? before[target[i]] : 0xa5);
	} else {
		assert_int_equal(guest_access_write(&access, gpa, data, size), rc);
		for (uint64_t i = 0; i < size && rc == 0; i++)
			before[target[i]] = 0xa5;
	}
	assert_memory_equal(vm.ram.host, before, MEMORY);
}

/* Around every edge of every page that is something special, from no byte to a page, in each view and in
 * none; the ends of memory; addresses that wrap. */
static void edges(void **state)
{
	static const uint64_t pages[] = {READ_ONLY, HIDDEN, MOVED, PLAIN, MEMORY / PAGE - 1,
					 MEMORY / PAGE};
	static const uint64_t sizes[] = {0, 1, 2, 63, 64, 1024, 4095, 4096};
	static const unsigned rights[] = {VIEW_READ, VIEW_WRITE, RW};
	static const int64_t deltas[] = {-4096, -1024, -64, -63, -1, 0, 1, 3000};

	(void)state;
	for (active_view = -1; active_view <= 2; active_view++)
		for (size_t p = 0; p < ARRAY_SIZE(pages); p++)
			for (size_t d = 0; d < ARRAY_SIZE(deltas); d++)
				for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
					check(pages[p] * PAGE + (uint64_t)deltas[d], sizes[s],
					      rights[(p + d + s) % 3]);
	for (active_view = 0; active_view <= 1; active_view++)
		for (size_t s = 1; s < ARRAY_SIZE(sizes); s++) {
			check(UINT64_MAX, sizes[s], VIEW_READ);
			check(UINT64_MAX - sizes[s] + 1, sizes[s], VIEW_WRITE);
			check(RAM_HOLE_BASE, sizes[s], VIEW_READ);
		}
}

/* Parts of a span, across its seam. */
static void spans(void **state)
{
	const struct guest_access access = by(0, RW);
	const uint64_t gpa = (MOVED + 1) * PAGE - 10;
	uint8_t data[20], back[20];
	struct guest_span span;

	(void)state;
	active_view = 1;
	assert_int_equal(guest_access(&access, gpa, 20, &span), 0);
	for (size_t offset = 0; offset < 20; offset++)
		for (size_t size = 0; size <= 20 - offset; size++) {
			memset(data, (int)(offset * 16 + size), sizeof(data));
			memset(back, 0, sizeof(back));
			guest_span_write(&span, offset, data, size);
			guest_span_read(&span, offset, back, size);
			assert_memory_equal(data, back, size);
			for (size_t i = offset; i < offset + size; i++)
				assert_int_equal(vm.ram.host[i < 10 ? (TARGET + 1) * PAGE - 10 + i
								    : (MOVED + 1) * PAGE + i - 10],
						 data[0]);
		}
}

/* Guest-physical addresses are for CPL 0, whatever there is at them, and nothing is asked about them. */
static void privilege(void **state)
{
	uint8_t byte = 0xa5, *memory = NULL;

	(void)state;
	for (unsigned cpl = 1; cpl <= 3; cpl++) {
		const struct guest_access access = by(cpl, VIEW_READ);

		assert_int_equal(guest_access_read(&access, PLAIN * PAGE, &byte, 1), -EPERM);
		assert_int_equal(guest_access_read(&access, HIDDEN * PAGE, &byte, 1), -EPERM);
		assert_int_equal(guest_access_read(&access, UINT64_MAX, &byte, 1), -EPERM);
		assert_int_equal(guest_access_device(&access, PLAIN * PAGE, PAGE, &memory), -EPERM);
	}
	assert_int_equal(byte, 0xa5);
	assert_null(memory);
	assert_int_equal(asked_view, 0);
	assert_int_equal(vcpu.recorder->summary->violation_count, 0);
}

/* It costs a system call, so only where the views differ. */
static void asks_for_the_view_if_it_matters(void **state)
{
	const struct guest_access access = by(0, VIEW_READ);
	uint8_t bytes[64];

	(void)state;
	assert_int_equal(guest_access_read(&access, PLAIN * PAGE, bytes, 64), 0);
	assert_int_equal(guest_access_read(&access, READ_ONLY * PAGE, bytes, 64), 0);
	assert_int_equal(asked_view, 0);
	assert_int_equal(guest_access_read(&access, MOVED * PAGE, bytes, 64), 0);
	assert_int_equal(asked_view, 1);
	assert_int_equal(guest_access_read(&access, (MOVED + 1) * PAGE - 1, bytes, 64), 0);
	assert_int_equal(asked_view, 2);
	assert_int_equal(guest_access_read(&access, HIDDEN * PAGE, bytes, 1), 0);
	assert_int_equal(asked_view, 3);
	/* Rights, not regions: another access to the page that can be read. */
	assert_int_equal(guest_access_write(&(struct guest_access){&vcpu, 0, VIEW_WRITE},
					    READ_ONLY * PAGE, bytes, 1), 0);
	assert_int_equal(asked_view, 4);
}

static int changed(struct vm *asked, uint32_t view, uint32_t region)
{
	(void)asked;
	(void)view;
	(void)region;
	return 0;
}

/* A page that was nobody's concern is, when its rights have changed. */
static void rights_change(void **state)
{
	static const struct engine_ops ops = {.view_current = view_current, .rights_changed = changed};
	static const struct engine engine = {.format = &paging_formats[PAGING_EPT]};
	const struct guest_access access = by(0, RW);
	const uint64_t gpa = READ_ONLY * PAGE + 8;
	struct guest_span span;

	(void)state;
	vm.ops = &ops;
	plan.engine = &engine;
	active_view = 1;
	assert_int_equal(guest_access(&access, gpa, 64, &span), -EACCES);
	assert_int_equal(vm_set_rights(&vm, 1, 0, VIEW_RIGHTS_ALL), 0);
	assert_int_equal(guest_access(&access, gpa, 64, &span), 0);
	assert_int_equal(guest_access(&access, gpa, 64, &span), 0);
	assert_int_equal(asked_view, 1);
	assert_int_equal(vm_set_rights(&vm, 1, 0, VIEW_READ), 0);
	assert_int_equal(guest_access(&access, gpa, 64, &span), -EACCES);
}

/* What a view withholds is recorded, once, with the byte and the right at which it failed. */
static void recorded(void **state)
{
	const struct record_violation *record = &vcpu.recorder->summary->violations[0].record;
	const struct guest_access access = by(0, RW);
	struct guest_span span;

	(void)state;
	active_view = 1;
	assert_int_equal(guest_access(&access, READ_ONLY * PAGE - 16, 64, &span), -EACCES);
	assert_int_equal(vcpu.recorder->summary->violation_count, 1);
	assert_int_equal(record->access, VIEW_WRITE);
	assert_int_equal(record->gpa, READ_ONLY * PAGE);
	assert_int_equal(record->size, 48);
	assert_int_equal(record->view, 1);
	assert_int_equal(record->rip, 0x1234);
	assert_int_equal(record->flags, 0);
	assert_int_equal(record->answer, VIOLATION_REFUSED);
	assert_string_equal(record->region, "read-only");
	assert_int_equal(guest_access(&access, HIDDEN * PAGE + 8, 64, &span), -EACCES);
	assert_int_equal(vcpu.recorder->summary->violation_count, 2);
	assert_int_equal(record[0].gpa, READ_ONLY * PAGE);
	assert_int_equal(vcpu.recorder->summary->violations[1].record.access, VIEW_READ);
	assert_false(atomic_load(&vm.stop));
	/* There is no instruction to be given a page fault. */
	plan.on_violation = ON_VIOLATION_INJECT;
	vcpu.page->violation.sequence = 0x55;
	assert_int_equal(guest_access(&access, HIDDEN * PAGE + 8, 64, &span), -EACCES);
	assert_int_equal(vcpu.page->violation.sequence, 0x55);
	assert_false(atomic_load(&vm.stop));
	plan.on_violation = ON_VIOLATION_STOP;
	assert_int_equal(guest_access(&access, HIDDEN * PAGE + 8, 64, &span), -EACCES);
	assert_true(atomic_load(&vm.stop));
	assert_non_null(strstr(vm.why.text, "view 1 (some) forbids a read at 0x15008 (hidden)"));
}

/* A device gets the pages themselves, as many as there are. */
static void devices(void **state)
{
	const struct guest_access access = by(0, VIEW_READ), write = by(0, VIEW_WRITE);
	uint8_t *memory = NULL;

	(void)state;
	assert_int_equal(guest_access_device(&access, 0, MEMORY, &memory), 0);
	assert_ptr_equal(memory, vm.ram.host);
	assert_int_equal(guest_access_device(&access, 0, MEMORY + 1, &memory), -EFAULT);
	active_view = 1;
	assert_int_equal(guest_access_device(&access, READ_ONLY * PAGE, PAGE, &memory), 0);
	assert_ptr_equal(memory, vm.ram.host + READ_ONLY * PAGE);
	assert_int_equal(guest_access_device(&access, READ_ONLY * PAGE, 2 * PAGE, &memory), -EACCES);
	assert_int_equal(guest_access_device(&access, MOVED * PAGE, PAGE, &memory), -EACCES);
	assert_int_equal(vcpu.recorder->summary->violations[1].record.gpa, MOVED * PAGE);
	assert_int_equal(vcpu.recorder->summary->violations[1].record.access, VIEW_READ);
	assert_int_equal(guest_access_device(&write, MOVED * PAGE, PAGE, &memory), -EACCES);
	assert_int_equal(vcpu.recorder->summary->violations[2].record.access, VIEW_WRITE);
	assert_int_equal(guest_access_device(&access, PLAIN * PAGE, 9 * PAGE, &memory), 0);
}

/* Asked for where a port can have been written outside CPL 0; who cannot be asked is not trusted. */
static void cpl_at_a_port(void **state)
{
	(void)state;
	kvm_dpl = 3;
	for (unsigned iopl = 0; iopl < 3; iopl++) {
		run.s.regs.regs.rflags = 2 | iopl << 12;
		assert_int_equal(guest_access_port_cpl(&vcpu), 0);
	}
	assert_int_equal(asked_kvm, 0);
	run.s.regs.regs.rflags = 2 | IOPL;
	assert_int_equal(guest_access_port_cpl(&vcpu), 3);
	kvm_dpl = 0;
	assert_int_equal(guest_access_port_cpl(&vcpu), 0);
	run.s.regs.regs.rflags = 2;
	vm.own_tss = true;
	kvm_dpl = 3;
	assert_int_equal(guest_access_port_cpl(&vcpu), 3);
	assert_int_equal(asked_kvm, 3);
	kvm_dpl = 0;
	kvm_error = EINTR;
	assert_int_equal(guest_access_port_cpl(&vcpu), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(edges, setup, teardown),
		cmocka_unit_test_setup_teardown(spans, setup, teardown),
		cmocka_unit_test_setup_teardown(privilege, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_for_the_view_if_it_matters, setup, teardown),
		cmocka_unit_test_setup_teardown(rights_change, setup, teardown),
		cmocka_unit_test_setup_teardown(recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(devices, setup, teardown),
		cmocka_unit_test_setup_teardown(cpl_at_a_port, setup, teardown),
	};

	return cmocka_run_group_tests_name("guest_access", tests, NULL, NULL);
}
