/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include "vmm/base/neighbourhood.h"

/* Every block of a page has a name of its own, also at either end of the address space. */
static void names(void **state)
{
	static const struct {
		uint64_t address, start;
		const char *text;
	} rows[] = {
		{0, 0, "0x0+0x0"},
		{0xff, 0, "0x0+0x0"},
		{0x100, 0x100, "0x0+0x100"},
		{0xffffffff81234500, 0xffffffff81234500, "0xffffffff81234000+0x500"},
		{0xffffffff812345ff, 0xffffffff81234500, "0xffffffff81234000+0x500"},
		{0xffffffff81234000, 0xffffffff81234000, "0xffffffff81234000+0x0"},
		{UINT64_MAX, 0xffffffffffffff00, "0xfffffffffffff000+0xf00"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[NEIGHBOURHOOD_TEXT_SIZE];

		assert_true(neighbourhood_of(rows[i].address) == rows[i].start);
		assert_string_equal(neighbourhood_text(rows[i].address, text), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names)};

	return cmocka_run_group_tests_name("neighbourhood", tests, NULL, NULL);
}
