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

_Static_assert(SERVICE_VIEW == SS_SERVICE_VIEW, "the processor's own");

static const uint64_t list[EPTP_LIST_ENTRIES] = {[0] = EPTP_A, [1] = EPTP_B, [511] = EPTP_B};

static struct vmfunc_state configured(struct service_table table)
{
	struct vmfunc_state state = {
		.list = list, .eptp = EPTP_A, .caps = {.maxphyaddr = 46}};

	service_configure(&state, &table);
	return state;
}

/* The rules once more, the most decisive last: a vector, a negative errno, SWITCH or PERFORM. */
static int wanted(const struct service_table *table, const struct service_call *call)
{
	const uint64_t bit = call->number < 64 ? UINT64_C(1) << call->number : 0;
	int outcome = PERFORM;

	if (call->number == 0)
		outcome = call->index > 511 ? -ERANGE
			  : list[call->index] == 0 ? -EINVAL : SWITCH;
	if (call->cpl > 0 && table->cpl0 & bit)
		outcome = GP;
	if (!call->home && table->home & bit)
		outcome = GP;
	if (!(table->enabled & bit))
		outcome = UD;
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
	default:
		return (int)service_vector(decision->verdict);
	}
}

static void check(struct service_table table, struct service_call call)
{
	const struct vmfunc_state state = configured(table);
	const struct service_decision decision = service_decide(&state, &call);
	const bool switches = decision.verdict == SERVICE_SWITCH;

	assert_int_equal(outcome_of(&decision), wanted(&table, &call));
	assert_int_equal(decision.eptp, switches ? list[call.index] : EPTP_A);
	assert_int_equal(decision.error != 0, decision.verdict == SERVICE_REFUSED);
}

/* Each word with the number's own bit, only the others, all and none; every caller. */
static void every_combination(void **unused)
{
	static const uint32_t numbers[] = {0, 1, 2, 31, 32, 33, 62, 63, 64, 65, 127, 0x80000000,
					   0xffffffff};
	static const uint32_t indexes[] = {0, 1, 2, 510, 511, 512, 0x80000000, 0xffffffff};

	(void)unused;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
		const uint64_t bit = numbers[n] < 64 ? UINT64_C(1) << numbers[n] : 0;
		const uint64_t words[] = {0, bit, ~bit, UINT64_MAX};

		for (unsigned set = 0; set < 4 * 4 * 4; set++)
			for (unsigned caller = 0; caller < 4 * 2 * ARRAY_SIZE(indexes); caller++)
				check((struct service_table){words[set / 16], words[set / 4 % 4],
							     words[set % 4]},
				      (struct service_call){
					      .number = numbers[n],
					      .index = indexes[caller / 8],
					      .cpl = caller % 4,
					      .home = caller / 4 % 2,
				      });
	}
}

/* What the processor is told: nothing but its own function, and that only if it is enabled. */
static void processor_controls(void **unused)
{
	struct vmfunc_state state = configured((struct service_table){0});

	(void)unused;
	assert_false(state.enabled);
	assert_int_equal(state.function_controls, 0);
	state = configured((struct service_table){.enabled = 2});
	assert_true(state.enabled);
	assert_int_equal(state.function_controls, 0);
	state = configured((struct service_table){.enabled = UINT64_MAX});
	assert_true(state.enabled);
	assert_int_equal(state.function_controls, 1);
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
