/* SPDX-License-Identifier: GPL-2.0-only */
/* What a plan and the monitor say with numbers: addresses that move along, programs by the masks that they need. */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <string.h>

#include "guestfw/bare/plan.h"
#include "views/program.h"

#define BASE UINT64_C(0x40000000)
#define BLOCK UINT64_C(0x4000000)
#define PAGE UINT64_C(4096)

static const struct bare_plan plan = {.block = BLOCK};

static void addresses_in_the_block_follow_it(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < BLOCK; at += 8 * PAGE) {
		assert_int_equal(bare_move(&plan, BASE, BARE_BASE + at), BASE + at);
		assert_int_equal(bare_move(&plan, BASE, BARE_BASE + at + 0x123), BASE + at + 0x123);
	}
	assert_int_equal(bare_move(&plan, BASE, BARE_BASE + BLOCK - 1), BASE + BLOCK - 1);
}

static void everything_else_stays(void **state)
{
	static const uint64_t words[] = {
		0, 1, BASE, BASE + BLOCK, BARE_BASE - 1, BARE_BASE - PAGE, BARE_BASE + BLOCK, RELAY_BASE, RELAY_BASE + RELAY_SIZE,
		UINT32_MAX, UINT64_MAX, UINT64_C(1) << 35, (UINT64_C(1) << 36) - 1, 0x80000000,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i] != BARE_BASE)
			assert_int_equal(bare_move(&plan, BASE, words[i]), words[i]);
}

/* Of an entry of a table: bits 11:0, and 63:52, among them that which forbids to execute. */
static void flags_of_an_entry_stay(void **state)
{
	const uint64_t address = BARE_BASE + 0x123000;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit = bit == 11 ? 52 : bit + 1) {
		const uint64_t flag = UINT64_C(1) << bit;

		assert_int_equal(bare_move(&plan, BASE, address | flag), (BASE + 0x123000) | flag);
	}
}

/* Three flags of a register, each of which a program may mask, keep and set: those of the generator (views/program.h). */
static uint32_t flags(uint32_t cr, unsigned number)
{
	const uint32_t all = program_flags(cr);
	uint32_t chosen = 0;

	for (uint32_t bit = 1; bit; bit <<= 1)
		if (all & bit) {
			chosen |= number & 1 ? bit : 0;
			number >>= 1;
		}
	return chosen;
}

static void every_choice_of_masks_has_a_setup_of_its_own(void **state)
{
	static bool taken[BARE_PROGRAM_SETUPS];
	unsigned count = 0;

	(void)state;
	for (unsigned cr = 0; cr <= 4; cr += 4) {
		assert_int_equal(flags(cr, 7), program_flags(cr));
		for (unsigned n = 0; n < 8 * 8 * 8; n++) {
			const struct ss_program program = {
				.cr = cr, .masked = flags(cr, n & 7), .kept = flags(cr, n >> 3 & 7), .shadow = flags(cr, n >> 6)};
			const uint32_t setup = bare_program_setup(&program);

			assert_true(setup < BARE_PROGRAM_SETUPS);
			assert_false(taken[setup]);
			taken[setup] = true;
			count++;
		}
	}
	assert_int_equal(count, BARE_PROGRAM_SETUPS);
}

/* What else a program says is the guest's affair, and other flags are nobody's. */
static void a_program_is_known_by_its_masks(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct ss_program program, masks = {0};
		uint32_t others;

		program_generate(7, i, PROGRAM_MASKS_ANY, false, 16, &program);
		assert_int_equal(program.masked & ~program_flags(program.cr), 0);
		assert_int_equal(program.kept & ~program_flags(program.cr), 0);
		masks.cr = program.cr;
		others = ~program_flags(program.cr);
		masks.masked = program.masked | others;
		masks.kept = program.kept | others;
		masks.shadow = program.shadow | others;
		assert_int_equal(bare_program_setup(&program), bare_program_setup(&masks));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_the_block_follow_it),
		cmocka_unit_test(everything_else_stays),
		cmocka_unit_test(flags_of_an_entry_stay),
		cmocka_unit_test(every_choice_of_masks_has_a_setup_of_its_own),
		cmocka_unit_test(a_program_is_known_by_its_masks),
	};

	return cmocka_run_group_tests_name("bare_words", tests, NULL, NULL);
}
