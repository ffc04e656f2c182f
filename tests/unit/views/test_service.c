/* SPDX-License-Identifier: GPL-2.0-only */
/* The decision about an invoked service, over every combination of its conditions. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdbool.h>

#include "guestfw/abi.h"
#include "service.h"

#define EPTP_A UINT64_C(0x1001e)
#define EPTP_B UINT64_C(0x2001e)
#define UD 6
#define GP 13
#define SWITCH 0
#define PERFORM 1000
#define TO_VMM 2000 /* and a number for the guest */

_Static_assert(SERVICE_VIEW == SS_SERVICE_VIEW, "the processor's own");
_Static_assert(SERVICE_IN_MEMORY == SS_SERVICE_IN_MEMORY, "for every service");

static const uint64_t list[EPTP_LIST_ENTRIES] = {[0] = EPTP_A, [1] = EPTP_B, [511] = EPTP_B};

static struct vmfunc_state configured(struct service_table table)
{
	struct vmfunc_state state = {
		.list = list, .eptp = EPTP_A, .caps = {.maxphyaddr = 46}};

	service_configure(&state, &table);
	return state;
}

/*
 * The words of docs/services.md once more, read from the end: the operand is looked at last. A vector, a
 * negative errno, SWITCH, PERFORM, or TO_VMM with the number that the guest gets.
 */
static int wanted(const struct service_table *table, const struct service_call *call)
{
	const uint64_t bit = call->number < 64 ? UINT64_C(1) << call->number : 0;
	const bool conditions_hold[] = {
		!(table->cpl0 & bit) || call->cpl == 0,
		!(table->home & bit) || call->home,
		!(table->mode64 & bit) || call->mode == SERVICE_MODE_64,
		!(table->protected & bit) || call->mode != SERVICE_MODE_REAL,
	};
	int outcome = PERFORM;

	if (call->number == 0 && call->index != 0xffffffff)
		outcome = call->index > 511 ? -ERANGE
			  : list[call->index] == 0 ? -EINVAL : SWITCH;
	for (size_t i = 0; i < ARRAY_SIZE(conditions_hold); i++)
		if (!conditions_hold[i])
			outcome = table->exits & bit ? TO_VMM + EPERM : GP;
	if (!(table->enabled & bit))
		outcome = table->exits & bit ? TO_VMM + ENOSYS : UD;
	return outcome;
}

static int outcome_of(const struct service_decision *decision)
{
	switch (decision->verdict) {
	case SERVICE_SWITCH:
		return SWITCH;
	case SERVICE_PERFORM:
		return PERFORM;
	case SERVICE_REFUSED:
		return decision->error;
	case SERVICE_EXIT_DISABLED:
	case SERVICE_EXIT_FORBIDDEN:
		return TO_VMM - decision->error;
	default:
		return (int)service_vector(decision->verdict);
	}
}

static void check(const struct service_table *table, const struct service_call *call)
{
	const struct vmfunc_state state = configured(*table);
	const struct service_decision decision = service_decide(&state, call);
	const int outcome = wanted(table, call);

	assert_int_equal(outcome_of(&decision), outcome);
	assert_int_equal(decision.eptp, outcome == SWITCH ? list[call->index] : EPTP_A);
	assert_int_equal(service_reaches_vmm(decision.verdict), outcome >= PERFORM);
	assert_int_equal(service_vector(decision.verdict), outcome == UD || outcome == GP ? outcome : 0);
	if (outcome == SWITCH || outcome == PERFORM)
		assert_int_equal(decision.error, 0);
}

/* Every caller, with every index, for one table. */
static void every_caller(const struct service_table *table, uint32_t number)
{
	static const uint32_t indexes[] = {0, 1, 2, 510, 511, 512, 0x80000000, 0xfffffffe, 0xffffffff};

	for (unsigned caller = 0; caller < 4 * 2 * 3 * ARRAY_SIZE(indexes); caller++)
		check(table, &(struct service_call){
				     .number = number,
				     .index = indexes[caller / 24],
				     .cpl = caller % 4,
				     .home = caller / 4 % 2,
				     .mode = (enum service_mode)(caller / 8 % 3),
			     });
}

/* Each word says yes or no about the number, and the same or the opposite about all others. */
static void every_combination(void **unused)
{
	static const uint32_t numbers[] = {0, 1, 2, 31, 32, 33, 62, 63, 64, 65, 127, 0x80000000,
					   0xffffffff};

	(void)unused;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
		for (unsigned yes = 0; yes < 1 << 6; yes++)
			for (unsigned others = 0; others < 2; others++) {
				const uint64_t bit = numbers[n] < 64 ? UINT64_C(1) << numbers[n] : 0;
				uint64_t word[6];

				for (unsigned i = 0; i < 6; i++)
					word[i] = (yes >> i & 1 ? bit : 0) |
						  ((yes >> i ^ others) & 1 ? ~bit : 0);
				every_caller(&(struct service_table){word[0], word[1], word[2], word[3],
								     word[4], word[5]},
					     numbers[n]);
			}
}

/* What the processor is told: nothing but its own function, and that only if it is enabled. What is to exit
 * needs VM functions, without which the processor raises #UD. */
static void processor_controls(void **unused)
{
	struct vmfunc_state state = configured((struct service_table){0});

	(void)unused;
	assert_false(state.enabled);
	assert_int_equal(state.function_controls, 0);
	/* By itself the switch of views goes by them too. */
	assert_int_equal(service_decide_view(&state, 0).verdict, SERVICE_UNDEFINED);
	state = configured((struct service_table){.enabled = 2});
	assert_true(state.enabled);
	assert_int_equal(state.function_controls, 0);
	state = configured((struct service_table){.enabled = UINT64_MAX});
	assert_true(state.enabled);
	assert_int_equal(state.function_controls, 1);
	state = configured((struct service_table){.exits = 1});
	assert_true(state.enabled);
	assert_int_equal(state.function_controls, 0);
}

/* With VM functions off altogether no table helps, and controls that lack the function do. */
static void switched_off(void **unused)
{
	struct vmfunc_state state = configured((struct service_table){.enabled = UINT64_MAX});
	const struct service_call call = {.number = 0, .index = 1, .home = true};

	(void)unused;
	state.function_controls = 0;
	assert_int_equal(service_decide(&state, &call).verdict, SERVICE_UNDEFINED);
	state.function_controls = 1;
	assert_int_equal(service_decide(&state, &call).verdict, SERVICE_SWITCH);
	state.enabled = false;
	assert_int_equal(service_decide(&state, &call).verdict, SERVICE_UNDEFINED);
	state.services.exits = UINT64_MAX;
	assert_int_equal(service_decide(&state, &call).verdict, SERVICE_UNDEFINED);
}

/* As records have it: a number that no service can have is one, and no verdict gives 0. */
static void codes(void **unused)
{
	(void)unused;
	assert_int_equal(service_code(0, SERVICE_SWITCH) & 0xff, 0);
	assert_int_not_equal(service_code(0, SERVICE_SWITCH), 0);
	assert_int_equal(service_code(63, SERVICE_PERFORM), 63 | SERVICE_PERFORM << 8);
	assert_int_equal(service_code(64, SERVICE_UNDEFINED), 64 | SERVICE_UNDEFINED << 8);
	assert_int_equal(service_code(65, SERVICE_UNDEFINED), 64 | SERVICE_UNDEFINED << 8);
	assert_int_equal(service_code(UINT32_MAX, SERVICE_UNDEFINED), 64 | SERVICE_UNDEFINED << 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(processor_controls),
		cmocka_unit_test(switched_off),
		cmocka_unit_test(codes),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
