/* SPDX-License-Identifier: GPL-2.0-only */
/* Which buffers may be pinned, against a page-by-page model of a small memory. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "pins.h"

#define PAGE UINT64_C(4096)
#define LOW_PAGES UINT64_C(8000)
#define HIGH (UINT64_C(4) << 30)
#define HIGH_PAGES UINT64_C(4)

static const struct gpa_range ranges[] = {
	{{PAGE}, (LOW_PAGES - 1) * PAGE},
	{{HIGH}, HIGH_PAGES * PAGE},
};
static struct view_policy policy;
static struct pin_scope scope;
static struct pins pins;

/* View 0 allows everything; view 1 has a page to read at 16, one that shows another at 17, none at 18,
 * one to execute at 19. */
static int setup(void **state)
{
	static const unsigned rights[] = {VIEW_READ, VIEW_RIGHTS_ALL, 0, VIEW_EXECUTE};

	(void)state;
	pins = (struct pins){0};
	policy = (struct view_policy){0};
	if (policy_add_view(&policy, "all", VIEW_RIGHTS_ALL, NULL) != 0 ||
	    policy_add_view(&policy, "some", VIEW_RIGHTS_ALL, NULL) != 0)
		return -1;
	for (uint32_t i = 0; i < ARRAY_SIZE(rights); i++) {
		char name[] = {(char)('a' + i), '\0'};

		if (policy_add_region(&policy, name, gpa_at((16 + i) * PAGE), PAGE, NULL) != 0 ||
		    policy_set_rights(&policy, 1, i, rights[i]) != 0)
			return -1;
	}
	scope = (struct pin_scope){.memory = {ranges, ARRAY_SIZE(ranges)}, .policy = &policy};
	return policy_set_remap(&policy, 1, 1, gpa_at(40 * PAGE));
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&policy);
	return 0;
}

static int check(uint64_t gpa, uint64_t size, uint64_t access)
{
	struct pin_request request = {gpa, size, access};

	return pins_check(&pins, &scope, &request);
}

static uint32_t pin(uint64_t page, uint64_t count)
{
	struct pin_request request = {page * PAGE, count * PAGE, VIEW_READ | VIEW_WRITE};

	assert_int_equal(pins_check(&pins, &scope, &request), 0);
	return pins_add(&pins, &request);
}

static void bounds(void **state)
{
	const uint64_t rw = VIEW_READ | VIEW_WRITE, end = LOW_PAGES * PAGE;
	const struct {
		uint64_t gpa, size, access;
		int result;
	} rows[] = {
		{PAGE, PAGE, rw, 0},
		{PAGE, PAGE, VIEW_READ, 0},
		{PAGE, PAGE, VIEW_WRITE, 0},
		{end - PAGE, PAGE, rw, 0},
		{HIGH, HIGH_PAGES * PAGE, rw, 0},
		/* nothing, and parts of pages */
		{PAGE, 0, rw, -EINVAL},
		{PAGE + 1, PAGE, rw, -EINVAL},
		{PAGE, PAGE + 1, rw, -EINVAL},
		{PAGE, PAGE - 1, rw, -EINVAL},
		{PAGE + 512, 512, rw, -EINVAL},
		/* accesses that a device does not make */
		{PAGE, PAGE, 0, -EINVAL},
		{PAGE, PAGE, VIEW_EXECUTE, -EINVAL},
		{PAGE, PAGE, rw | VIEW_EXECUTE, -EINVAL},
		{PAGE, PAGE, rw | UINT64_C(1) << 32, -EINVAL},
		{PAGE, PAGE, UINT64_MAX, -EINVAL},
		/* not memory, or not all of it */
		{0, PAGE, rw, -EFAULT},
		{0, 2 * PAGE, rw, -EFAULT},
		{end, PAGE, rw, -EFAULT},
		{end - PAGE, 2 * PAGE, rw, -EFAULT},
		{PAGE, HIGH, rw, -EFAULT},
		{HIGH - PAGE, PAGE, rw, -EFAULT},
		{HIGH - PAGE, 2 * PAGE, rw, -EFAULT},
		{HIGH, (HIGH_PAGES + 1) * PAGE, rw, -EFAULT},
		/* over the end of what can be addressed */
		{UINT64_MAX - PAGE + 1, PAGE, rw, -EFAULT},
		{UINT64_MAX - PAGE + 1, 2 * PAGE, rw, -EFAULT},
		{PAGE, UINT64_MAX - PAGE + 1, rw, -EFAULT},
		{PAGE, UINT64_MAX - 2 * PAGE + 1, rw, -EFAULT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(check(rows[i].gpa, rows[i].size, rows[i].access), rows[i].result);
}

/* Every way in which two ranges of up to three pages can lie. */
static void overlaps_are_refused(void **state)
{
	(void)state;
	for (uint64_t first = 10; first < 20; first++)
		for (uint64_t size = 1; size <= 3; size++) {
			uint32_t handle = pin(14, 2);
			bool touches = first < 16 && first + size > 14;

			assert_int_equal(check(first * PAGE, size * PAGE, VIEW_READ),
					 touches ? -EEXIST : 0);
			pins_remove(&pins, handle);
			assert_int_equal(check(first * PAGE, size * PAGE, VIEW_READ), 0);
		}
}

static void count_and_bytes_are_limited(void **state)
{
	uint32_t handles[PINS_MAX];

	(void)state;
	for (unsigned i = 0; i < PINS_MAX; i++)
		handles[i] = pin(100 + 2 * i, 1);
	assert_int_equal(pins.bytes, PINS_MAX * PAGE);
	assert_int_equal(check(PAGE, PAGE, VIEW_READ), -ENOSPC);
	pins_remove(&pins, handles[17]);
	assert_int_equal(check(PAGE, PAGE, VIEW_READ), 0);
	for (unsigned i = 0; i < PINS_MAX; i++)
		if (i != 17)
			pins_remove(&pins, handles[i]);
	assert_int_equal(pins.bytes, 0);
	handles[0] = pin(1, PINS_BYTES_MAX / PAGE - 1);
	assert_int_equal(check(5000 * PAGE, 2 * PAGE, VIEW_READ), -ENOSPC);
	handles[1] = pin(5000, 1);
	assert_int_equal(pins.bytes, PINS_BYTES_MAX);
	assert_int_equal(check(6000 * PAGE, PAGE, VIEW_READ), -ENOSPC);
	pins_remove(&pins, handles[1]);
	pins_remove(&pins, handles[0]);
	assert_int_equal(check(PAGE, PINS_BYTES_MAX + PAGE, VIEW_READ), -ENOSPC);
}

/* A handle that was given back, and numbers that never were one, name nothing. */
static void handles(void **state)
{
	uint32_t first = pin(10, 2), second = pin(20, 1), again;

	(void)state;
	assert_int_not_equal(first, 0);
	assert_int_not_equal(first, second);
	assert_int_equal(pins_find(&pins, first)->gpa.v, 10 * PAGE);
	assert_int_equal(pins_find(&pins, first)->size, 2 * PAGE);
	assert_int_equal(pins_find(&pins, second)->gpa.v, 20 * PAGE);
	pins_remove(&pins, first);
	assert_null(pins_find(&pins, first));
	again = pin(10, 2);
	assert_int_not_equal(again, first);
	assert_null(pins_find(&pins, first));
	for (uint64_t i = 0; i < 0x10000; i++)
		assert_int_equal(pins_find(&pins, i) != NULL, i == again || i == second);
	assert_null(pins_find(&pins, second | UINT64_C(1) << 32));
	assert_null(pins_find(&pins, UINT32_MAX));
	assert_null(pins_find(&pins, UINT64_MAX));
}

/* Sequence numbers come round; no handle is ever 0 or one that is in use. */
static void handles_come_round(void **state)
{
	uint32_t kept = pin(10, 1), last;

	(void)state;
	pins.sequence = 0xfffffe;
	last = pin(20, 1);
	assert_int_equal(pins_find(&pins, last)->gpa.v, 20 * PAGE);
	pins_remove(&pins, last);
	last = pin(20, 1);
	assert_int_not_equal(last, 0);
	assert_int_not_equal(last, kept);
	assert_int_equal(pins_find(&pins, last)->gpa.v, 20 * PAGE);
	assert_int_equal(pins_find(&pins, kept)->gpa.v, 10 * PAGE);
}

/* By the active view: no more than it allows, on no page; no page that it shows somewhere else. */
static void views(void **state)
{
	static const struct {
		uint64_t page;
		unsigned rights;
	} rows[] = {
		{15, VIEW_READ | VIEW_WRITE}, {16, VIEW_READ}, {17, 0}, {18, 0}, {19, 0},
		{20, VIEW_READ | VIEW_WRITE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned access = 1; access <= 3; access++) {
			bool allowed = (access & ~rows[i].rights) == 0;

			scope.view = 0;
			assert_int_equal(check(rows[i].page * PAGE, PAGE, access), 0);
			scope.view = 1;
			assert_int_equal(check(rows[i].page * PAGE, PAGE, access),
					 allowed ? 0 : -EACCES);
			/* the last page of several */
			assert_int_equal(check(12 * PAGE, (rows[i].page - 11) * PAGE, access),
					 rows[i].page == 15			? 0
					 : rows[i].page == 16 && access == VIEW_READ ? 0
										 : -EACCES);
			scope.view = 2; /* there is none */
			assert_int_equal(check(rows[i].page * PAGE, PAGE, access), -EACCES);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(overlaps_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(count_and_bytes_are_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(handles, setup, teardown),
		cmocka_unit_test_setup_teardown(handles_come_round, setup, teardown),
		cmocka_unit_test_setup_teardown(views, setup, teardown),
	};

	return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
