/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that guests give to what they do, from several threads at once. */
#include "tests/unit/cmocka_prelude.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "guestfw/abi.h"
#include "vmm/guest/image.h"
#include "vmm/guest/marks.h"

#define THREADS 4

static struct marks *marks;
static unsigned told_of[SS_MAX_OPERATIONS + 1];

static int setup(void **state)
{
	(void)state;
	memset(told_of, 0, sizeof(told_of));
	marks = marks_create();
	return marks ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	marks_destroy(marks);
	return 0;
}

/* A name is told once, and before it counts. */
static void told(void *opaque, uint32_t number, const char *name)
{
	assert_ptr_equal(opaque, marks);
	assert_int_equal(number, marks_count(marks) + 1);
	assert_in_range(strlen(name), 1, SS_MARK_NAME_MAX);
	told_of[number]++;
}

static uint32_t number_of(const char *name)
{
	return marks_number(marks, name, told, marks);
}

static void numbers_stay(void **state)
{
	char name[SS_MARK_NAME_MAX + 1];

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < SS_MAX_OPERATIONS; i++) {
			snprintf(name, sizeof(name), "%0*u", SS_MARK_NAME_MAX, i);
			assert_int_equal(number_of(name), i + 1);
			assert_string_equal(marks_name(marks, i + 1), name);
			assert_int_equal(told_of[i + 1], 1);
		}
	assert_int_equal(number_of("more"), 0);
	assert_int_equal(marks_count(marks), SS_MAX_OPERATIONS);
}

static void *add_all(void *argument)
{
	uint32_t *numbers = argument;
	char name[16];

	for (unsigned i = 0; i < SS_MAX_OPERATIONS; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		numbers[i] = number_of(name);
	}
	return NULL;
}

static void threads_agree(void **state)
{
	static uint32_t numbers[THREADS][SS_MAX_OPERATIONS];
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_all, numbers[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_memory_equal(numbers[i], numbers[0], sizeof(numbers[0]));
	for (unsigned n = 1; n <= SS_MAX_OPERATIONS; n++)
		assert_int_equal(told_of[n], 1);
}

static void the_first_refusal_counts(void **state)
{
	const char *first = "";

	(void)state;
	assert_int_equal(marks_refused(marks, &first), 0);
	assert_null(first);
	marks_refuse(marks, "one");
	marks_refuse(marks, "two");
	assert_int_equal(marks_refused(marks, &first), 2);
	assert_string_equal(first, "one");
}

static void an_image_has_them(void **state)
{
	const struct image image = {.marks = marks};

	(void)state;
	assert_int_equal(image_operations(&image), 0);
	assert_int_equal(image_operations_most(&image), SS_MAX_OPERATIONS);
	assert_null(image_operation_name(&image, 1));
	number_of("one");
	assert_int_equal(image_operations(&image), 1);
	assert_string_equal(image_operation_name(&image, 1), "one");
	assert_string_equal(image_operation_name(&image, 0), "-");
	assert_null(image_operation_name(&image, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_agree, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_refusal_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(an_image_has_them, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
