/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of an instruction: every combination of length, mode, TF, BTF, RF and shadow, against the
 * manuals' rules one by one. */
#include "tests/unit/cmocka_prelude.h"

#include "retire.h"

#define LENGTH_MAX 15
#define TF 0x100u
#define RF 0x10000u
#define OTHER_FLAGS 0x246u /* IF, ZF, PF, and the bit that is always 1 */
#define BLOCKING_BITS 5    /* STI, MOV SS, SMI, NMI, enclave */

struct combination {
	uint64_t rip, length, rflags, blocking, debugctl;
	bool long_mode;
};

static void check(const struct combination *c)
{
	struct retire state = {.rip = c->rip, .rflags = c->rflags, .blocking = c->blocking};

	retire(&state, c->length, c->long_mode, c->debugctl);
	if (c->long_mode)
		assert_int_equal(state.rip - c->rip, c->length);
	else
		assert_int_equal(state.rip, (c->rip + c->length) % (UINT64_C(1) << 32));
	assert_int_equal(state.rflags, c->rflags & RF ? c->rflags - RF : c->rflags);
	assert_int_equal(state.blocking, c->blocking / 4 * 4);
	assert_int_equal(state.trap, (c->rflags & TF) != 0 && (c->debugctl & 2) == 0);
}

/* What was not asked for must not matter. */
static void check_unasked(const struct combination *c)
{
	struct retire known = {.rip = c->rip, .rflags = c->rflags, .blocking = c->blocking};
	struct retire unasked = known;
	bool mode = retire_asks_mode(c->rip, c->length) ? c->long_mode : true;
	uint64_t debugctl = retire_asks_debugctl(c->rflags) ? c->debugctl : 0;

	retire(&known, c->length, c->long_mode, c->debugctl);
	retire(&unasked, c->length, mode, debugctl);
	assert_int_equal(known.rip, unasked.rip);
	assert_int_equal(known.trap, unasked.trap);
}

static void every_combination(void **state)
{
	static const uint64_t rips[] = {0, 0x100000, 0xfff5, 0x7ffffff8, 0xfffffff4, 0xffffffff};
	static const uint64_t high[] = {0x1fffffff8, 0x7ffffffffff0, 0xffffffff80000000, 0xfffffffffffffff8};
	const size_t count = ARRAY_SIZE(rips) + ARRAY_SIZE(high);

	(void)state;
	for (uint32_t run = 0; run < count * LENGTH_MAX * 2 * 8 << BLOCKING_BITS; run++) {
		uint32_t left = run >> BLOCKING_BITS;
		struct combination c = {.blocking = run & ((1 << BLOCKING_BITS) - 1)};
		size_t place;

		c.rflags = OTHER_FLAGS | (left & 1 ? TF : 0) | (left & 2 ? RF : 0);
		c.debugctl = left & 4 ? 3 : 1;
		c.long_mode = left & 8;
		c.length = (left >> 4) % LENGTH_MAX + 1;
		place = (left >> 4) / LENGTH_MAX;
		/* Addresses that only 64-bit mode has. */
		if (place >= ARRAY_SIZE(rips) && !c.long_mode)
			continue;
		c.rip = place < ARRAY_SIZE(rips) ? rips[place] : high[place - ARRAY_SIZE(rips)];
		check(&c);
		check_unasked(&c);
	}
}

static void ip_of_16_bit_code_does_not_wrap(void **state)
{
	struct retire end = {.rip = 0xffff, .rflags = 2};

	(void)state;
	retire(&end, 2, false, 0);
	assert_int_equal(end.rip, 0x10001);
}

static void the_mode_is_asked_for_seldom(void **state)
{
	(void)state;
	assert_false(retire_asks_mode(0x100000, LENGTH_MAX));
	assert_false(retire_asks_mode(0x7ffffffffff0, LENGTH_MAX));
	assert_true(retire_asks_mode(0xffffffff, 2));
	assert_true(retire_asks_mode(0xfffffffe, 2));
	assert_false(retire_asks_debugctl(OTHER_FLAGS | RF));
	assert_true(retire_asks_debugctl(OTHER_FLAGS | TF));
}

/* Intel SDM vol. 3A, table 6-1: the class of each exception. From 32 on there are interrupts. */
static void faults_set_rf_and_nothing_else_does(void **state)
{
	static const uint8_t faults[] = {0, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19, 20, 21};
	static const uint8_t others[] = {1, 3, 4, 8, 18, 32, 255};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		assert_int_equal(retire_fault(OTHER_FLAGS, faults[i]), OTHER_FLAGS | RF);
		assert_int_equal(retire_fault(OTHER_FLAGS | RF | TF, faults[i]), OTHER_FLAGS | RF | TF);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(retire_fault(OTHER_FLAGS, others[i]), OTHER_FLAGS);
		assert_int_equal(retire_fault(OTHER_FLAGS | RF, others[i]), OTHER_FLAGS | RF);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(ip_of_16_bit_code_does_not_wrap),
		cmocka_unit_test(the_mode_is_asked_for_seldom),
		cmocka_unit_test(faults_set_rf_and_nothing_else_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
