/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of libraries that are loaded when one of them is first called. */
#include "tests/unit/cmocka_prelude.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/base/libraries.h"

/* All eight registers for numbers with a fraction, all six for others, and more of both. */
static void a_first_call_has_all_arguments(void **state)
{
	static const double halves[] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5};
	json_t *array = json_pack("[fffffffff iiiii s]", halves[0], halves[1], halves[2], halves[3], halves[4], halves[5],
				  halves[6], halves[7], halves[8], 1, 2, 3, 4, 5, "end");

	(void)state;
	assert_non_null(array);
	assert_int_equal(json_array_size(array), 15);
	for (size_t i = 0; i < 9; i++)
		assert_true(json_real_value(json_array_get(array, i)) == halves[i]);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(json_integer_value(json_array_get(array, 9 + i)), i + 1);
	assert_string_equal(json_string_value(json_array_get(array, 14)), "end");
	json_decref(array);
}

static bool writing_ends(size_t slot)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		library_slots[slot] = NULL;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void where_functions_are_is_read_only(void **state)
{
	struct error error = {0};

	(void)state;
	for (unsigned library = 0; library < LIBRARY_COUNT; library++) {
		assert_true(writing_ends(library));
		assert_int_equal(library_open((enum library)library, &error), 0);
		assert_true(writing_ends(library));
	}
}

/* One library, whoever has it loaded: what one makes, the other takes. */
static void opened_is_what_others_have(void **state)
{
	struct error error = {0};
	json_t *array;

	(void)state;
	assert_int_equal(library_open(LIBRARY_jansson, &error), 0);
	array = json_loads("[1]", 0, NULL);
	assert_int_equal(json_array_size(array), 1);
	json_decref(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, for it is about a first call. */
		cmocka_unit_test(a_first_call_has_all_arguments),
		cmocka_unit_test(where_functions_are_is_read_only),
		cmocka_unit_test(opened_is_what_others_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
