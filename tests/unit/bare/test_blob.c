/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/bare/blob.h"

/* A short memory, once as many allocations are left as are said here, with something in what was not used yet. */
static unsigned left;
static size_t given;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
	if (left == 0) {
		errno = ENOMEM;
		return NULL;
	}
	left--;
	given = memory ? given : 0;
	memory = __real_realloc(memory, size);
	if (memory && size > given)
		memset((uint8_t *)memory + given, 0xa5, size - given);
	given = size;
	return memory;
}

static int setup(void **state)
{
	(void)state;
	left = UINT32_MAX;
	return 0;
}

static void is_zero(const struct blob *blob, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		assert_int_equal(blob->data[i], 0);
}

static void what_is_appended_begins_on_a_border(void **state)
{
	struct blob blob = {0};
	size_t end = 0;

	(void)state;
	for (size_t size = 0; size < 50; size++) {
		uint8_t bytes[50];
		uint64_t at;

		memset(bytes, (int)(0x80 + size), sizeof(bytes));
		at = blob_append(&blob, bytes, size);
		assert_int_equal(at % 16, 0);
		assert_true(at >= end && at - end < 16);
		is_zero(&blob, end, at);
		assert_int_equal(blob.size, at + size);
		if (size)
			assert_memory_equal(blob.data + at, bytes, size);
		end = blob.size;
	}
	assert_int_equal(blob.error, 0);
	blob_finish(&blob);
	assert_null(blob.data);
	assert_int_equal(blob.size, 0);
}

static void without_data_it_is_zeros(void **state)
{
	struct blob blob = {0};

	(void)state;
	/* More than a blob has room for at first. */
	for (unsigned i = 0; i < 4; i++) {
		const uint64_t at = blob_append(&blob, NULL, 100000);

		is_zero(&blob, at, at + 100000);
	}
	blob_finish(&blob);
}

static void borders_are_reached_with_zeros(void **state)
{
	static const size_t borders[] = {1, 16, 4096};
	struct blob blob = {0};

	(void)state;
	blob_append(&blob, "x", 1);
	for (size_t i = 0; i < ARRAY_SIZE(borders); i++) {
		const size_t before = blob.size;

		blob_align(&blob, borders[i]);
		assert_int_equal(blob.size % borders[i], 0);
		assert_true(blob.size - before < borders[i]);
		is_zero(&blob, before, blob.size);
		blob_align(&blob, borders[i]);
		assert_true(blob.size - before < borders[i]);
	}
	blob_finish(&blob);
}

static void without_memory_it_says_so_and_keeps_what_it_has(void **state)
{
	struct blob blob = {0};
	static uint8_t large[1 << 20];

	(void)state;
	blob_append(&blob, "abc", 4);
	left = 0;
	blob_append(&blob, large, sizeof(large));
	assert_int_equal(blob.error, -ENOMEM);
	assert_int_equal(blob.size % 16, 0);
	assert_string_equal((const char *)blob.data, "abc");
	/* What would fit comes too late: nothing says where it would be. */
	left = UINT32_MAX;
	blob_append(&blob, "d", 2);
	assert_int_equal(blob.size, 16);
	assert_int_equal(blob.error, -ENOMEM);
	blob_finish(&blob);
	assert_int_equal(blob.error, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(what_is_appended_begins_on_a_border),
		TEST(without_data_it_is_zeros),
		TEST(borders_are_reached_with_zeros),
		TEST(without_memory_it_says_so_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
