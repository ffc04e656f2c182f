/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "devices/panic_text.h"

static struct panic_text said(const char *text)
{
	struct panic_text panic = {0};

	for (; *text; text++)
		panic_text_take(&panic, (uint8_t)*text);
	return panic;
}

static void reason_is_taken_up_to_the_end_of_the_line(void **state)
{
	struct panic_text panic = said("[    0.4] Kernel panic - not syncing: No working init found.\r\n[    0.5] CPU: 0\r\n");

	(void)state;
	assert_string_equal(panic.text, "No working init found.");
	assert_false(panic.ended);
}

static void first_reason_counts(void **state)
{
	struct panic_text panic = said("Kernel panic - not syncing: one\nKernel panic - not syncing: two\n");

	(void)state;
	assert_string_equal(panic.text, "one");
}

static void last_line_tells_that_no_reset_follows(void **state)
{
	(void)state;
	assert_true(said("Kernel panic - not syncing: x\n---[ end Kernel panic - not syncing: x ]---\n").ended);
	assert_false(said("---[ end Kernel panic - not syncing: x ]---\n").ended);
}

static void words_are_found_behind_a_beginning_of_them(void **state)
{
	(void)state;
	assert_string_equal(said("Kernel Kernel panKernel panic - not syncing: y\n").text, "y");
}

static void other_output_is_no_panic(void **state)
{
	(void)state;
	assert_string_equal(said("Kernel panic - syncing: z\nkernel panic - not syncing: z\n").text, "");
}

static void long_reason_is_cut(void **state)
{
	struct panic_text panic = {0};

	(void)state;
	panic = said("Kernel panic - not syncing: ");
	for (int i = 0; i < 1000; i++)
		panic_text_take(&panic, 'a');
	assert_int_equal(strlen(panic.text), sizeof(panic.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_is_taken_up_to_the_end_of_the_line),
		cmocka_unit_test(first_reason_counts),
		cmocka_unit_test(last_line_tells_that_no_reset_follows),
		cmocka_unit_test(words_are_found_behind_a_beginning_of_them),
		cmocka_unit_test(other_output_is_no_panic),
		cmocka_unit_test(long_reason_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
