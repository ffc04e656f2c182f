/* SPDX-License-Identifier: GPL-2.0-only */
/* What an operation has the VMM change: exactly that, and for the processor what the operation is named
 * after. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "service.h"
#include "setup.h"

#define EPTP UINT64_C(0x1001e)

static uint64_t list[EPTP_LIST_ENTRIES];

/* The state after a setup for that service number and index, of a list full of valid entries. */
static struct vmfunc_state apply(enum ss_setup setup, uint32_t number, uint32_t index)
{
	const struct ss_operation op = {.setup = setup, .arg = (uint64_t)number << 32 | index};
	struct vmfunc_state state = {.list = list, .eptp = EPTP, .caps = {.maxphyaddr = 46}};

	service_configure(&state, &(struct service_table){.enabled = UINT64_MAX});
	for (size_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		list[i] = EPTP;
	setup_apply(&op, &state, list);
	return state;
}

static void check_others(uint32_t index)
{
	for (uint32_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		if (i != index)
			assert_int_equal(list[i], EPTP);
}

/* Intel SDM volume 3C, table 25-9: bits 2:0 memory type, 5:3 walk length less 1, 11:8 reserved. */
static void entries(void **unused)
{
	static const struct {
		enum ss_setup setup;
		uint64_t entry;
		enum eptp_rule broken;
	} rows[] = {
		{SS_SETUP_NONE, EPTP, EPTP_VALID},
		{SS_SETUP_VE, EPTP, EPTP_VALID},
		{SS_SETUP_LIST_EMPTY, 0, EPTP_MEMORY_TYPE},
		{SS_SETUP_LIST_RESERVED, EPTP | 0x100, EPTP_RESERVED},
		{SS_SETUP_LIST_MEMTYPE, 0x1001a, EPTP_MEMORY_TYPE},
		{SS_SETUP_LIST_WALK, 0x10006, EPTP_WALK_LENGTH},
	};
	static const uint32_t indexes[] = {0, 1, EPTP_LIST_ENTRIES - 1};

	(void)unused;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
			const struct vmfunc_state state = apply(rows[r].setup, 0, indexes[i]);

			assert_int_equal(list[indexes[i]], rows[r].entry);
			assert_int_equal(eptp_check(rows[r].entry, &state.caps), rows[r].broken);
			check_others(indexes[i]);
			assert_true(state.enabled);
			assert_int_equal(state.function_controls, 1);
		}
		/* Where the list ends nothing is changed. */
		apply(rows[r].setup, 0, EPTP_LIST_ENTRIES);
		check_others(EPTP_LIST_ENTRIES);
		apply(rows[r].setup, 0, UINT32_MAX);
		check_others(EPTP_LIST_ENTRIES);
	}
}

static void services(void **unused)
{
	(void)unused;
	for (uint32_t number = 0; number <= SERVICE_NUMBERS; number++) {
		const struct vmfunc_state state = apply(SS_SETUP_LEAF_OFF, number, 1);
		const uint64_t off = number < SERVICE_NUMBERS ? UINT64_C(1) << number : 0;

		assert_int_equal(state.services.enabled, ~off);
		assert_int_equal(state.function_controls, number != 0);
		assert_true(state.enabled);
		check_others(EPTP_LIST_ENTRIES);
	}
	assert_int_equal(apply(SS_SETUP_LEAF_OFF, UINT32_MAX, 1).services.enabled, UINT64_MAX);
	assert_false(apply(SS_SETUP_VMFUNC_OFF, 0, 1).enabled);
	check_others(EPTP_LIST_ENTRIES);
}

/* As an L0 treats a list that it cannot map: no entry is valid. */
static void unbacked_list(void **unused)
{
	const struct vmfunc_state state = apply(SS_SETUP_LIST_UNBACKED, 0, 1);

	(void)unused;
	check_others(EPTP_LIST_ENTRIES);
	for (uint32_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		assert_int_not_equal(eptp_check(state.list[i], &state.caps), EPTP_VALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(services),
		cmocka_unit_test(unbacked_list),
	};

	return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
