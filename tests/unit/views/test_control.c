/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions on control registers, whatever state they meet: as the reference has it, and the same by every
 * embodiment. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "control_reference.h"
#include "flags.h"

static void every_insn(const struct control_scenario *scenario, uint64_t operand)
{
	static const struct {
		enum control_insn insn;
		unsigned width;
		bool cr4;
	} rows[] = {
		{CONTROL_MOV_TO, 64, true},  {CONTROL_MOV_FROM, 64, true}, {CONTROL_CLTS, 0, false},
		{CONTROL_LMSW, 0, false},    {CONTROL_SMSW, 64, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct control_operation operation = {rows[i].insn, rows[i].width, operand};

		if (scenario->state.reg == CONTROL_CR0 || rows[i].cr4)
			reference_compare(scenario, &operation);
	}
}

static uint64_t at(unsigned number, unsigned a, unsigned b)
{
	return (number & 1 ? BIT(a) : 0) | (number & 2 ? BIT(b) : 0);
}

/* One entry of the truth table of two flags: owned, kept, shadow, register and written value of each.
 * The other flags are written as they are. */
static void entry(struct control_scenario *scenario, unsigned combination, unsigned a, unsigned b,
		  uint64_t base)
{
	uint64_t set = BIT(a) | BIT(b), kept = at(combination >> 2, a, b);
	uint64_t rest = reference_writable(&scenario->state) & ~set;
	enum ss_embodiment embodiment = scenario->state.embodiment;

	scenario->owned = at(combination, a, b) | rest;
	scenario->kept = kept;
	/* A pair has no place for bit 32. */
	if (embodiment == SS_EMBODIMENT_ONE_WORD) {
		scenario->owned &= UINT32_MAX;
		scenario->kept &= UINT32_MAX;
	}
	if (embodiment == SS_EMBODIMENT_SINGLE_MASK) {
		if (kept != (set & ~scenario->owned))
			return;
	}
	scenario->state.shadow = at(combination >> 4, a, b);
	scenario->state.value = (base & ~set) | at(combination >> 6, a, b);
	reference_set_words(scenario);
	every_insn(scenario, (base & ~set) | at(combination >> 8, a, b));
}

static void truth_table(enum control_register reg, unsigned a, unsigned b)
{
	for (int e = SS_EMBODIMENT_TWO_WORDS; e < SS_EMBODIMENT_COUNT; e++)
		for (unsigned combination = 0; combination < 1024; combination++) {
			struct control_scenario scenario = {
				.state = {.reg = reg, .embodiment = (enum ss_embodiment)e,
					  .context = reference_legacy}};
			bool cr0 = reg == CONTROL_CR0;

			entry(&scenario, combination, a, b, cr0 ? PE | ET : 0);
			scenario.state.context = reference_long_mode(reg);
			entry(&scenario, combination, a, b,
			      cr0 ? PE | ET | NE | WP | PG : PAE | VMXE);
		}
}

static void every_pair(enum control_register reg)
{
	uint64_t writable = reg == CONTROL_CR0 ? CR0_WRITABLE : CR4_WRITABLE;

	for (unsigned a = 0; a < 64; a++)
		for (unsigned b = 0; b <= a; b++)
			if (reference_has(writable, a) && reference_has(writable, b))
				truth_table(reg, a, b);
}

static void pairs_of_cr0(void **state)
{
	(void)state;
	every_pair(CONTROL_CR0);
}

static void pairs_of_cr4(void **state)
{
	(void)state;
	every_pair(CONTROL_CR4);
}

/* All words at once, random; half of the writes change few flags. */
static void random_scenarios(void **state)
{
	static const unsigned mov[] = {32, 64}, smsw[] = {16, 32, 64};
	uint64_t seed = 0xcafe;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct control_scenario scenario = {
			.state = {.reg = i & 1 ? CONTROL_CR4 : CONTROL_CR0,
				  .embodiment = (enum ss_embodiment)(SS_EMBODIMENT_TWO_WORDS + (i >> 1) % 5),
				  .shadow = reference_next(&seed)}};
		uint64_t writable, operand, rest = reference_next(&seed);
		struct control_operation operation;

		scenario.state.context = reference_legacy;
		if (rest & 1)
			scenario.state.context = reference_long_mode(scenario.state.reg);
		scenario.state.context.unrestricted_guest = rest & 2;
		scenario.state.context.other ^= rest & 4 ? WP | CET | PCIDE | PAE : 0;
		scenario.state.context.cr3 |= rest >> 3 & 1;
		writable = reference_writable(&scenario.state);
		scenario.owned = reference_next(&seed) & writable;
		scenario.kept = reference_next(&seed) & writable;
		if (rest & 16)
			scenario.kept |= writable & ~scenario.owned;
		if (scenario.state.embodiment == SS_EMBODIMENT_ONE_WORD) {
			scenario.owned &= UINT32_MAX;
			scenario.kept &= UINT32_MAX;
		}
		if (scenario.state.embodiment == SS_EMBODIMENT_SINGLE_MASK)
			scenario.kept = writable & ~scenario.owned;
		reference_set_words(&scenario);
		scenario.state.value = reference_next(&seed) & writable;
		if (scenario.state.reg == CONTROL_CR0)
			scenario.state.value |= ET;
		operand = rest & 32 ? reference_next(&seed) : reference_seen(&scenario) ^ BIT(reference_next(&seed) % 34);
		for (size_t w = 0; w < ARRAY_SIZE(mov); w++) {
			operation = (struct control_operation){CONTROL_MOV_TO, mov[w], operand};
			reference_compare(&scenario, &operation);
			operation.insn = CONTROL_MOV_FROM;
			reference_compare(&scenario, &operation);
		}
		if (scenario.state.reg == CONTROL_CR4)
			continue;
		for (size_t w = 0; w < ARRAY_SIZE(smsw); w++) {
			operation = (struct control_operation){CONTROL_SMSW, smsw[w], operand};
			reference_compare(&scenario, &operation);
		}
		operation = (struct control_operation){CONTROL_LMSW, 0, operand};
		reference_compare(&scenario, &operation);
		operation.insn = CONTROL_CLTS;
		reference_compare(&scenario, &operation);
	}
}

static void expect_equal(const struct control_result *a, const struct control_result *b)
{
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->destination, b->destination);
	assert_int_equal(a->value, b->value);
	assert_int_equal(a->shadow, b->shadow);
	assert_int_equal(a->ask, b->ask);
	assert_int_equal(a->fault, b->fault);
}

/* Where an embodiment can say what the two words say, nobody can tell them apart, and code that takes the
 * whole register comes to the same result. */
static void embodiments_agree(void **state)
{
	uint64_t seed = 0xa9ee;
	unsigned expressed[SS_EMBODIMENT_COUNT] = {0};

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		uint64_t owned = reference_next(&seed) & CR0_WRITABLE, operand = (uint32_t)reference_next(&seed) | ET;
		uint64_t kept = (i & 1 ? UINT64_MAX : reference_next(&seed)) & CR0_WRITABLE & ~owned;
		struct control_scenario scenario =
			reference_cr0(owned, kept, reference_next(&seed), (reference_next(&seed) & CR0_WRITABLE) | ET);
		struct ss_flag_words words = {SS_EMBODIMENT_TWO_WORDS, {owned, kept},
					      scenario.state.shadow, scenario.state.value};
		enum control_insn insn = (enum control_insn)(CONTROL_MOV_TO + i % 5);
		struct control_result plain, got;
		struct flags_change change;

		plain = reference_run(&scenario, insn, operand);
		for (int e = SS_EMBODIMENT_ONE_WORD; e < SS_EMBODIMENT_COUNT; e++) {
			struct control_state other = scenario.state;
			struct control_operation operation = {insn, 64, operand};

			other.embodiment = (enum ss_embodiment)e;
			if (flags_encode(other.embodiment, owned, kept, CR0_WRITABLE, other.words)
				    .rule != FLAGS_RULE_VALID)
				continue;
			expressed[e]++;
			got = control_execute(&other, &operation);
			expect_equal(&got, &plain);
		}
		if (insn != CONTROL_MOV_TO || plain.fault != CONTROL_LEGAL)
			continue;
		change = flags_write(&words, operand);
		assert_int_equal(flags_read(&words) & CR0_WRITABLE, plain.seen & CR0_WRITABLE);
		assert_int_equal(change.ask & CR0_WRITABLE, plain.ask);
		assert_int_equal(change.value & CR0_WRITABLE, plain.value & CR0_WRITABLE);
		assert_int_equal(change.shadow & CR0_WRITABLE, plain.shadow & CR0_WRITABLE);
	}
	assert_int_equal(expressed[SS_EMBODIMENT_ONE_WORD], 40000);
	assert_int_equal(expressed[SS_EMBODIMENT_OWNED_FIRST], 40000);
	assert_int_equal(expressed[SS_EMBODIMENT_SHADOW_FIRST], 40000);
	assert_true(expressed[SS_EMBODIMENT_SINGLE_MASK] >= 20000 && expressed[SS_EMBODIMENT_SINGLE_MASK] < 40000);
}

static void tables(void **state)
{
	(void)state;
	for (int i = CONTROL_LEGAL; i < CONTROL_FAULT_COUNT; i++) {
		assert_true(strlen(control_fault_text((enum control_fault)i)) > 0);
		for (int j = CONTROL_LEGAL; j < i; j++)
			assert_string_not_equal(control_fault_text((enum control_fault)i),
						control_fault_text((enum control_fault)j));
	}
	assert_null(control_fault_text(CONTROL_FAULT_INVALID));
	assert_null(control_fault_text(CONTROL_FAULT_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_of_cr0),
		cmocka_unit_test(pairs_of_cr4),
		cmocka_unit_test(random_scenarios),
		cmocka_unit_test(embodiments_agree),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
