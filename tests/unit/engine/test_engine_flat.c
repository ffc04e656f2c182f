/* SPDX-License-Identifier: GPL-2.0-only */
/* Views as memory slots, held against a KVM that knows the rules of KVM_SET_USER_MEMORY_REGION: slots do not overlap, and
 * one that is there can only be taken away (Documentation/virt/kvm/api.rst, 4.35). */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "views/policy.h"
#include "vmm/engine/engine_flat.h"
#include "vmm/vm/vm.h"

#define PAGE UINT64_C(0x1000)
#define PAGES 16
#define FD 77
#define SLOTS 16

enum { ALL, SOME, MOVED };
enum { CODE, DATA };

static uint8_t memory[PAGES * PAGE];
static struct kvm_userspace_memory_region slots[SLOTS]; /* memory_size 0: there is none */
static unsigned changes;
static unsigned refused; /* the so-manieth change from now on; 0: none */
static const struct service_table services;
static struct vm vm;

static bool overlap(const struct kvm_userspace_memory_region *a, const struct kvm_userspace_memory_region *b)
{
	return a->guest_phys_addr < b->guest_phys_addr + b->memory_size &&
	       b->guest_phys_addr < a->guest_phys_addr + a->memory_size;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	const struct kvm_userspace_memory_region *region;
	va_list list;

	va_start(list, request);
	region = va_arg(list, const struct kvm_userspace_memory_region *);
	va_end(list);
	assert_int_equal(fd, FD);
	assert_int_equal(request, KVM_SET_USER_MEMORY_REGION);
	assert_true(region->slot < SLOTS);
	/* There, or not there: never changed. */
	assert_int_not_equal(region->memory_size != 0, slots[region->slot].memory_size != 0);
	for (size_t i = 0; i < SLOTS; i++)
		assert_false(overlap(region, &slots[i]));
	changes++;
	if (refused && --refused == 0) {
		errno = ENOMEM;
		return -1;
	}
	slots[region->slot] = *region;
	return 0;
}

static int start(void **state)
{
	struct error error = {0};

	(void)state;
	memset(slots, 0, sizeof(slots));
	refused = 0;
	vm = (struct vm){.fd = FD, .leader = &vm, .service_table = &services, .ram = {memory, sizeof(memory)}};
	pthread_mutex_init(&vm.stop_lock, NULL);
	assert_int_equal(policy_add_region(&vm.policy, "code", gpa_at(2 * PAGE), 2 * PAGE, NULL), 0);
	assert_int_equal(policy_add_region(&vm.policy, "data", gpa_at(8 * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_add_view(&vm.policy, "all", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&vm.policy, "some", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&vm.policy, "moved", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_set_rights(&vm.policy, SOME, CODE, VIEW_READ | VIEW_EXECUTE), 0);
	assert_int_equal(policy_set_rights(&vm.policy, SOME, DATA, 0), 0);
	assert_int_equal(policy_set_remap(&vm.policy, MOVED, DATA, gpa_at(12 * PAGE)), 0);
	assert_int_equal(engine_flat.vm_init(&vm, &error), 0);
	changes = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	engine_flat.vm_finish(&vm);
	policy_finish(&vm.policy);
	pthread_mutex_destroy(&vm.stop_lock);
	return 0;
}

/* The slot that has this page, or NULL. */
static const struct kvm_userspace_memory_region *slot_of(unsigned page)
{
	const struct kvm_userspace_memory_region one = {.guest_phys_addr = page * PAGE, .memory_size = PAGE};

	for (size_t i = 0; i < SLOTS; i++)
		if (overlap(&one, &slots[i]))
			return &slots[i];
	return NULL;
}

/* What each page is in the view: as the policy says, with the host's address of what it shows. */
static void expect_view(unsigned view)
{
	for (unsigned page = 0; page < PAGES; page++) {
		const struct kvm_userspace_memory_region *slot = slot_of(page);
		const bool code = page == 2 || page == 3, data = page == 8;
		const unsigned shown = data && view == MOVED ? 12 : page;

		if (data && view == SOME) {
			assert_null(slot);
			continue;
		}
		assert_non_null(slot);
		assert_int_equal(slot->flags, code && view == SOME ? KVM_MEM_READONLY : 0);
		assert_ptr_equal(slot->userspace_addr + page * PAGE - slot->guest_phys_addr, memory + shown * PAGE);
	}
}

static void every_view_from_every_other(void **state)
{
	static const unsigned order[] = {SOME, MOVED, ALL, MOVED, SOME, ALL};

	(void)state;
	expect_view(ALL);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(engine_flat.view_switch(&vm, order[i]), 0);
		expect_view(order[i]);
		assert_int_equal(vm.view, order[i]);
		assert_int_equal(vm.vmfunc.eptp, vm.view_list[order[i]]);
	}
}

/* What is the same in both is not touched: KVM would have to map it anew. */
static void only_what_differs(void **state)
{
	(void)state;
	assert_int_equal(engine_flat.view_switch(&vm, ALL), 0);
	assert_int_equal(changes, 0);
	assert_int_equal(engine_flat.view_switch(&vm, SOME), 0);
	assert_int_equal(changes, 3); /* code away and back, data away */
}

static void rights_of_the_active_view(void **state)
{
	(void)state;
	assert_int_equal(policy_set_rights(&vm.policy, SOME, CODE, 0), 0);
	assert_int_equal(engine_flat.rights_changed(&vm, SOME, CODE), 0);
	assert_int_equal(changes, 0);
	assert_int_equal(policy_set_rights(&vm.policy, ALL, CODE, 0), 0);
	assert_int_equal(engine_flat.rights_changed(&vm, ALL, CODE), 0);
	assert_null(slot_of(2));
	assert_int_equal(changes, 1);
}

/* The slot of the page goes and comes back as it was; no other does. */
static void forget(unsigned view, uint64_t gpa, unsigned slots_changed)
{
	struct kvm_userspace_memory_region before[SLOTS];

	assert_int_equal(engine_flat.view_switch(&vm, view), 0);
	memcpy(before, slots, sizeof(slots));
	changes = 0;
	engine_flat.forget_page(&vm, gpa_at(gpa));
	assert_int_equal(changes, 2 * slots_changed);
	assert_memory_equal(before, slots, sizeof(slots));
	expect_view(view);
	assert_int_equal(vm.why.cause, STOP_NONE);
}

static void forgotten_pages(void **state)
{
	(void)state;
	for (unsigned page = 0; page < PAGES; page++) {
		forget(ALL, page * PAGE, 1);
		forget(ALL, page * PAGE + PAGE - 1, 1);
		forget(SOME, page * PAGE, page == 8 ? 0 : 1); /* what is not mapped is forgotten already */
		forget(MOVED, page * PAGE, 1);
	}
	forget(ALL, PAGES * PAGE, 0);
	forget(ALL, UINT64_MAX, 0);
}

/* A page that cannot be mapped again is one that the guest has lost. */
static void a_page_that_does_not_come_back(void **state)
{
	(void)state;
	refused = 2;
	engine_flat.forget_page(&vm, gpa_at(8 * PAGE));
	assert_null(slot_of(8));
	assert_int_equal(vm.why.cause, STOP_HOST);
	assert_int_equal(vm.why.status, STATUS_INTERNAL);
	assert_non_null(strstr(vm.why.text, "KVM_SET_USER_MEMORY_REGION"));
}

/* It is there still, and is what the view asks for. */
static void a_page_that_does_not_go(void **state)
{
	(void)state;
	refused = 1;
	engine_flat.forget_page(&vm, gpa_at(8 * PAGE));
	expect_view(ALL);
	assert_int_equal(vm.why.cause, STOP_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_view_from_every_other, start, end),
		cmocka_unit_test_setup_teardown(only_what_differs, start, end),
		cmocka_unit_test_setup_teardown(rights_of_the_active_view, start, end),
		cmocka_unit_test_setup_teardown(forgotten_pages, start, end),
		cmocka_unit_test_setup_teardown(a_page_that_does_not_come_back, start, end),
		cmocka_unit_test_setup_teardown(a_page_that_does_not_go, start, end),
	};

	return cmocka_run_group_tests_name("engine_flat", tests, NULL, NULL);
}
