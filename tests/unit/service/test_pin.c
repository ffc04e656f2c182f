/* SPDX-License-Identifier: GPL-2.0-only */
/* Pinning in the host: what is locked, when it is unlocked, and what becomes of a refusal. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "vmm/observe/recorder.h"
#include "vmm/service/pin.h"
#include "vmm/service/services.h"

#define PAGE UINT64_C(4096)
#define MEMORY (64 * PAGE)
#define RW (VIEW_READ | VIEW_WRITE)

int __wrap_mlock(const void *address, size_t size);
int __wrap_munlock(const void *address, size_t size);

/* Which pages are locked, and how the next call ends. */
static bool locked[MEMORY / PAGE];
static int lock_error;
static int active_view;

static struct ss_vcpu_page page;
static struct plan plan;
static struct services services;
static struct vm vm;
static struct vcpu vcpu;

static int view_current(struct vcpu *asked)
{
	assert_ptr_equal(asked, &vcpu);
	return active_view;
}

static void set_locked(const void *address, size_t size, bool value)
{
	uint64_t offset = (uint64_t)((const uint8_t *)address - vm.ram.host);

	assert_true(offset % PAGE == 0 && size % PAGE == 0 && offset + size <= MEMORY);
	for (uint64_t i = offset / PAGE; i < (offset + size) / PAGE; i++) {
		assert_int_equal(locked[i], !value);
		locked[i] = value;
	}
}

int __wrap_mlock(const void *address, size_t size)
{
	errno = lock_error;
	if (lock_error == 0)
		set_locked(address, size, true);
	return lock_error ? -1 : 0;
}

int __wrap_munlock(const void *address, size_t size)
{
	set_locked(address, size, false);
	return 0;
}

static bool only_locked(uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < MEMORY / PAGE; i++)
		if (locked[i] != (i >= first && i - first < count))
			return false;
	return true;
}

static int setup(void **state)
{
	static const struct engine_ops ops = {.view_current = view_current};

	(void)state;
	memset(locked, 0, sizeof(locked));
	lock_error = active_view = 0;
	page = (struct ss_vcpu_page){0};
	plan = (struct plan){0};
	services = (struct services){.pin_limit = pin_limit()};
	vm = (struct vm){.plan = &plan, .ops = &ops, .services = &services, .vcpus = &vcpu, .vcpus_created = 1};
	vcpu = (struct vcpu){.vm = &vm, .page = &page};
	vcpu.recorder = recorder_create(0, 0, &plan.image, &page);
	if (!vcpu.recorder ||
	    guest_ram_create(&vm.ram, MEMORY) != 0)
		return -1;
	return policy_add_view(&vm.policy, "all", VIEW_RIGHTS_ALL, NULL) |
	       policy_add_view(&vm.policy, "read", VIEW_READ, NULL);
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&vm.policy);
	guest_ram_destroy(&vm.ram);
	recorder_destroy(vcpu.recorder);
	return 0;
}

static int pin(uint64_t first, uint64_t count, uint64_t access, uint32_t *ret_handle)
{
	const struct pin_request request = {first * PAGE, count * PAGE, access};

	*ret_handle = 0x55;
	return pin_buffer(&vcpu, &request, ret_handle);
}

static void pins_and_gives_back(void **state)
{
	uint32_t handle, other;
	uint8_t *memory;
	uint64_t size;

	(void)state;
	assert_int_equal(pin(3, 2, RW, &handle), 0);
	assert_true(only_locked(3, 2));
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_WRITE, &memory, &size), 0);
	assert_ptr_equal(memory, vm.ram.host + 3 * PAGE);
	assert_int_equal(size, 2 * PAGE);
	assert_int_equal(pin(4, 1, RW, &other), -EEXIST);
	assert_int_equal(other, 0x55);
	assert_true(only_locked(3, 2));
	assert_int_equal(pin(5, 1, VIEW_READ, &other), 0);
	assert_int_equal(pin_memory(&vcpu, 0, other, VIEW_READ, &memory, &size), 0);
	assert_int_equal(pin_memory(&vcpu, 0, other, VIEW_WRITE, &memory, &size), -EACCES);
	assert_int_equal(pin_release(&vcpu, handle), 0);
	assert_true(only_locked(5, 1));
	assert_int_equal(pin_release(&vcpu, handle), -ENOENT);
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_READ, &memory, &size), -ENOENT);
	assert_int_equal(pin_release(&vcpu, other | UINT64_C(1) << 32), -ENOENT);
	assert_true(only_locked(5, 1));
	assert_int_equal(vcpu.recorder->summary->pins.most, 3 * PAGE);
	assert_int_equal(vcpu.recorder->summary->pins.count[PIN_PINNED], 2);
	assert_int_equal(vcpu.recorder->summary->pins.count[PIN_UNPINNED], 1);
	assert_int_equal(vcpu.recorder->summary->pins.count[PIN_REFUSED], 1);
}

static void gives_all_back_at_the_end(void **state)
{
	uint32_t handle;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(pin(2 * i, 1, RW, &handle), 0);
	pin_release_all(&vm);
	assert_true(only_locked(0, 0));
	assert_int_equal(services.pins.bytes, 0);
	assert_int_equal(vcpu.recorder->summary->pins.count[PIN_RELEASED], 10);
	pin_release_all(&vm);
	assert_int_equal(vcpu.recorder->summary->pins.count[PIN_RELEASED], 10);
}

/* Whatever errno the host has for it, and it leaves nothing behind. */
static void host_refuses(void **state)
{
	static const int errors[] = {ENOMEM, EPERM, EAGAIN};
	struct rlimit limit;
	uint32_t handle;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		lock_error = errors[i];
		assert_int_equal(pin(3, 2, RW, &handle), -ENOMEM);
		assert_int_equal(handle, 0x55);
		assert_int_equal(services.pins.bytes, 0);
		assert_int_equal(vcpu.recorder->summary->pins.count[PIN_HOST_REFUSED], i + 1);
		assert_int_equal(vcpu.recorder->summary->pins.host_error, errors[i]);
		assert_int_equal(vcpu.recorder->summary->pins.limit, limit.rlim_cur);
	}
	lock_error = 0;
	assert_int_equal(pin(3, 2, RW, &handle), 0);
	assert_int_equal(vcpu.recorder->summary->pins.count[PIN_REFUSED], 0);
}

/* The active view counts when the buffer is pinned; -1 is a view of nobody. */
static void by_the_active_view(void **state)
{
	uint32_t handle;

	(void)state;
	active_view = 1;
	assert_int_equal(pin(3, 1, VIEW_WRITE, &handle), -EACCES);
	assert_int_equal(pin(3, 1, RW, &handle), -EACCES);
	assert_int_equal(pin(3, 1, VIEW_READ, &handle), 0);
	active_view = -1;
	assert_int_equal(pin(5, 1, VIEW_READ, &handle), -EACCES);
	assert_true(only_locked(3, 1));
}

/* A device does what the code that orders it may do, when it does: a pin is no way around a view, nor is it
 * one for code outside CPL 0. */
static void orders_are_checked_again(void **state)
{
	uint32_t handle, region;
	uint8_t *memory = NULL;
	uint64_t size;

	(void)state;
	assert_int_equal(policy_add_region(&vm.policy, "second", gpa_at(4 * PAGE), PAGE, &region), 0);
	assert_int_equal(pin(3, 2, RW, &handle), 0);
	for (unsigned cpl = 1; cpl <= 3; cpl++)
		assert_int_equal(pin_memory(&vcpu, cpl, handle, VIEW_READ, &memory, &size), -EACCES);
	active_view = 1;
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_WRITE, &memory, &size), -EACCES);
	assert_null(memory);
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_READ, &memory, &size), 0);
	assert_ptr_equal(memory, vm.ram.host + 3 * PAGE);
	assert_int_equal(policy_set_rights(&vm.policy, 1, region, 0), 0);
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_READ, &memory, &size), -EACCES);
	active_view = 0;
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_WRITE, &memory, &size), 0);
	assert_int_equal(policy_set_remap(&vm.policy, 0, region, gpa_at(9 * PAGE)), 0);
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_READ, &memory, &size), -EACCES);
	active_view = -1;
	assert_int_equal(pin_memory(&vcpu, 0, handle, VIEW_READ, &memory, &size), -EACCES);
}

static void refuses_what_is_no_memory(void **state)
{
	uint32_t handle;

	(void)state;
	assert_int_equal(pin(MEMORY / PAGE, 1, RW, &handle), -EFAULT);
	assert_int_equal(pin(MEMORY / PAGE - 1, 2, RW, &handle), -EFAULT);
	assert_int_equal(pin(RAM_HIGH_BASE / PAGE, 1, RW, &handle), -EFAULT);
	assert_int_equal(pin(UINT64_MAX / PAGE, 1, RW, &handle), -EFAULT);
	assert_int_equal(pin(1, 0, RW, &handle), -EINVAL);
	assert_true(only_locked(0, 0));
	assert_int_equal(pin(MEMORY / PAGE - 1, 1, RW, &handle), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pins_and_gives_back, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_all_back_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(host_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(by_the_active_view, setup, teardown),
		cmocka_unit_test_setup_teardown(orders_are_checked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
