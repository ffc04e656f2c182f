/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdbool.h>
#include <string.h>

#include "vmfunc.h"

#define ROOT_A UINT64_C(0x10000)
#define ROOT_B UINT64_C(0x20000)
#define EPTP_A (ROOT_A | 0x1e)
#define EPTP_B (ROOT_B | 0x1e)

static const struct paging_caps plain = { .maxphyaddr = 46 };

static void eptp_value(void **state)
{
	struct paging_caps caps = plain;

	(void)state;
	assert_int_equal(ept_pointer(gpa_at(ROOT_A), &caps), ROOT_A + 6 + 24);
	caps.ad_bits = true;
	assert_int_equal(ept_pointer(gpa_at(ROOT_A), &caps),
			 ROOT_A + 6 + 24 + 64);
}

/* All values of the low twelve bits under all capabilities. */
static void eptp_low_bits(void **state)
{
	(void)state;
	for (unsigned set = 0; set < 8; set++) {
		const struct paging_caps caps = {
			.maxphyaddr = 40,
			.ad_bits = set & 1,
			.memtype_uc = set & 2,
			.walk_5 = set & 4,
		};

		for (uint64_t low = 0; low < 4096; low++) {
			const unsigned type = low % 8;
			const unsigned walk = low / 8 % 8;
			const bool ad = low / 64 % 2;
			enum eptp_rule expected = EPTP_VALID;

			if (low >= 128)
				expected = EPTP_RESERVED;
			if (ad && !(set & 1))
				expected = EPTP_ACCESSED_DIRTY;
			if (walk != 3 && !(walk == 4 && set & 4))
				expected = EPTP_WALK_LENGTH;
			if (type != 6 && !(type == 0 && set & 2))
				expected = EPTP_MEMORY_TYPE;
			assert_int_equal(eptp_check(ROOT_A | low, &caps),
					 expected);
		}
	}
}

static void eptp_width(void **state)
{
	(void)state;
	for (unsigned width = 32; width <= 52; width++) {
		const struct paging_caps caps = { .maxphyaddr = (uint8_t)width };

		for (unsigned n = 12; n < 64; n++) {
			const uint64_t eptp = UINT64_C(1) << n | 0x1e;

			assert_int_equal(eptp_check(eptp, &caps),
					 n < width ? EPTP_VALID : EPTP_ADDRESS);
		}
	}
}

static struct vmfunc_state state_of(const uint64_t *list)
{
	return (struct vmfunc_state){
		.enabled = true,
		.function_controls = 1,
		.list = list,
		.eptp = EPTP_A,
		.caps = plain,
	};
}

static void check(const struct vmfunc_state *state, uint32_t eax, uint32_t ecx,
		  enum vmfunc_outcome outcome, enum vmfunc_reason reason,
		  uint64_t eptp)
{
	const struct vmfunc_result result = vmfunc_decide(state, eax, ecx);

	assert_int_equal(result.outcome, outcome);
	assert_int_equal(result.reason, reason);
	assert_int_equal(result.eptp, eptp);
	assert_int_equal(vmfunc_reason_outcome(reason), outcome);
}

static void switches(void **unused)
{
	uint64_t list[EPTP_LIST_ENTRIES] = { [0] = EPTP_A, [1] = EPTP_B,
					     [511] = EPTP_B };
	const struct vmfunc_state state = state_of(list);

	(void)unused;
	check(&state, 0, 0, VMFUNC_SAME, VMFUNC_REASON_ENTRY_CURRENT, EPTP_A);
	check(&state, 0, 1, VMFUNC_SWITCHED, VMFUNC_REASON_ENTRY_OTHER, EPTP_B);
	check(&state, 0, 511, VMFUNC_SWITCHED, VMFUNC_REASON_ENTRY_OTHER, EPTP_B);
	assert_int_equal(vmfunc_decide(&state, 0, 1).rule, EPTP_VALID);
}

static void index_limit(void **unused)
{
	static const uint32_t beyond[] = { 512, 513, 0x10000, 0x80000000,
					   0xffffffff };
	uint64_t list[EPTP_LIST_ENTRIES] = { 0 };
	const struct vmfunc_state state = state_of(list);

	(void)unused;
	for (size_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		list[i] = EPTP_B;
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		check(&state, 0, beyond[i], VMFUNC_EXIT,
		      VMFUNC_REASON_INDEX_TOO_LARGE, EPTP_A);
}

static void entry_rules(void **unused)
{
	static const struct {
		uint64_t eptp;
		enum eptp_rule rule;
	} rows[] = {
		{ 0, EPTP_MEMORY_TYPE },
		{ ROOT_B | 0x18, EPTP_MEMORY_TYPE },
		{ ROOT_B | 6, EPTP_WALK_LENGTH },
		{ ROOT_B | 6 | 4 << 3, EPTP_WALK_LENGTH },
		{ ROOT_B | 0x5e, EPTP_ACCESSED_DIRTY },
		{ ROOT_B | 0x9e, EPTP_RESERVED },
		{ ROOT_B | 0x81e, EPTP_RESERVED },
		{ UINT64_C(1) << 46 | 0x1e, EPTP_ADDRESS },
		{ UINT64_C(1) << 63 | 0x1e, EPTP_ADDRESS },
	};
	uint64_t list[EPTP_LIST_ENTRIES] = { 0 };
	const struct vmfunc_state state = state_of(list);

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		list[7] = rows[i].eptp;
		check(&state, 0, 7, VMFUNC_EXIT, VMFUNC_REASON_ENTRY_NOT_VALID,
		      EPTP_A);
		assert_int_equal(vmfunc_decide(&state, 0, 7).rule, rows[i].rule);
	}
}

/*
 * Every combination of enabled, function controls bit, leaf and index class
 * against the text of the manual, most decisive condition last.
 */
static void precedence(void **unused)
{
	static const uint32_t leaves[] = { 0, 1, 31, 32, 63, 64, 65, 0x80000000,
					   0xffffffff };
	static const uint32_t indexes[] = { 0, 1, 2, 511, 512, 0xffffffff };
	uint64_t list[EPTP_LIST_ENTRIES] = { [0] = EPTP_A, [1] = EPTP_B };

	(void)unused;
	for (unsigned run = 0; run < 2 * 3 * 9 * 6; run++) {
		const uint64_t controls[] = { 0, 1, UINT64_MAX };
		const uint32_t eax = leaves[run / 6 % 9];
		const uint32_t ecx = indexes[run % 6];
		struct vmfunc_state state = state_of(list);
		enum vmfunc_outcome expected;

		state.enabled = run / 6 / 9 / 3;
		state.function_controls = controls[run / 6 / 9 % 3];
		expected = ecx == 0 ? VMFUNC_SAME :
			   ecx == 1 ? VMFUNC_SWITCHED :
				      VMFUNC_EXIT;
		if (eax != 0 || state.function_controls == 0)
			expected = VMFUNC_EXIT;
		if (eax > 63 || !state.enabled)
			expected = VMFUNC_UD;
		assert_int_equal(vmfunc_decide(&state, eax, ecx).outcome,
				 expected);
		assert_int_equal(vmfunc_decide(&state, eax, ecx).eptp,
				 expected == VMFUNC_SWITCHED ? EPTP_B : EPTP_A);
	}
}

/* Each leaf looks at its own bit, also above bit 31. */
static void leaf_bit(void **unused)
{
	(void)unused;
	for (uint32_t leaf = 1; leaf < 64; leaf++) {
		struct vmfunc_state state = state_of(NULL);

		state.function_controls = UINT64_C(1) << leaf;
		check(&state, leaf, 0, VMFUNC_EXIT,
		      VMFUNC_REASON_LEAF_UNDEFINED, EPTP_A);
		check(&state, 0, 0, VMFUNC_EXIT, VMFUNC_REASON_LEAF_NOT_ENABLED,
		      EPTP_A);
		state.function_controls = ~state.function_controls;
		check(&state, leaf, 0, VMFUNC_EXIT,
		      VMFUNC_REASON_LEAF_NOT_ENABLED, EPTP_A);
	}
}

static void names(void **unused)
{
	(void)unused;
	for (int i = 1; i < VMFUNC_REASON_COUNT; i++) {
		assert_non_null(vmfunc_reason_key((enum vmfunc_reason)i));
		assert_non_null(vmfunc_reason_text((enum vmfunc_reason)i));
		assert_int_not_equal(vmfunc_reason_outcome((enum vmfunc_reason)i),
				     VMFUNC_OUTCOME_INVALID);
	}
	for (int i = 1; i < VMFUNC_OUTCOME_COUNT; i++)
		assert_non_null(vmfunc_outcome_key((enum vmfunc_outcome)i));
	for (int i = 1; i < EPTP_RULE_COUNT; i++) {
		assert_non_null(eptp_rule_key((enum eptp_rule)i));
		assert_non_null(eptp_rule_text((enum eptp_rule)i));
	}
	assert_null(vmfunc_reason_key(VMFUNC_REASON_INVALID));
	assert_null(vmfunc_reason_key(VMFUNC_REASON_COUNT));
	assert_null(vmfunc_reason_text(VMFUNC_REASON_COUNT));
	assert_null(vmfunc_outcome_key(VMFUNC_OUTCOME_COUNT));
	assert_null(eptp_rule_key(EPTP_RULE_COUNT));
	assert_null(eptp_rule_text(EPTP_RULE_INVALID));
	assert_null(eptp_rule_text(EPTP_RULE_COUNT));
	assert_int_equal(vmfunc_reason_outcome(VMFUNC_REASON_COUNT),
			 VMFUNC_OUTCOME_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eptp_value),
		cmocka_unit_test(eptp_low_bits),
		cmocka_unit_test(eptp_width),
		cmocka_unit_test(switches),
		cmocka_unit_test(index_limit),
		cmocka_unit_test(entry_rules),
		cmocka_unit_test(precedence),
		cmocka_unit_test(leaf_bit),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("vmfunc", tests, NULL, NULL);
}
