/* SPDX-License-Identifier: GPL-2.0-only */
/* On a processor without #VE: what needs it is not performed, and the ledger says so of what was to be. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "guestfw/relay/relay.h"

/* Where vCPUs are in the monitor's memory this process has none. */
#define GUESTS 2
static uint8_t vcpu_area[GUESTS * RELAY_VCPU_STRIDE] __attribute__((aligned(64)));
#undef RELAY_VCPUS
#define RELAY_VCPUS ((uint64_t)(uintptr_t)vcpu_area)

#include "guestfw/bare/leave_out.c"

#define OPERATIONS 130
#define MEMORY 0x10000
#define CONTEXT 0x8000 /* in a guest's memory */

struct bare bare;

static struct {
	struct bare_plan plan;
	struct bare_guest_plan guests[GUESTS];
	struct bare_setup setups[GUESTS][OPERATIONS + 1];
} plan;
static uint8_t memory[GUESTS][MEMORY] __attribute__((aligned(4096)));
static char said[512];

void log_meta(const char *key, const char *value)
{
	const size_t used = strlen(said);

	snprintf(said + used, sizeof(said) - used, "%s: %s\n", key, value);
}

static struct ss_context *context_of(unsigned guest)
{
	return (struct ss_context *)(memory[guest] + CONTEXT);
}

static int is_selected(unsigned guest, unsigned operation)
{
	return context_of(guest)->selected[(operation - 1) / 64] >> (operation - 1) % 64 & 1;
}

static int setup(void **state)
{
	(void)state;
	said[0] = '\0';
	memset(&plan, 0, sizeof(plan));
	plan.plan.operation_count = OPERATIONS;
	plan.plan.guest_count = GUESTS;
	plan.plan.vcpu_count = 1;
	plan.plan.guests = offsetof(typeof(plan), guests);
	for (unsigned i = 0; i < GUESTS; i++) {
		plan.guests[i].place = (uint64_t)(memory[i] - memory[0]);
		plan.guests[i].setups = offsetof(typeof(plan), setups) + i * sizeof(plan.setups[0]);
		memset(context_of(i)->selected, 0xff, sizeof(context_of(i)->selected));
		bare_relay_vcpu(i)->regs[RDI] = CONTEXT;
	}
	bare.plan = &plan.plan;
	bare.base = (uint64_t)(uintptr_t)memory[0];
	return 0;
}

static void left_out_is_what_needs_it(void **state)
{
	struct bare_setup *setups = plan.setups[0];

	(void)state;
	/* The first, one that nobody asked for, one with three digits; that of no operation is not looked at. */
	setups[0].needs_ve = setups[1].needs_ve = setups[64].needs_ve = setups[130].needs_ve = 1;
	context_of(0)->selected[0] &= ~(UINT64_C(1) << 63);
	bare_leave_out_ve(bare_relay_vcpu(0));
	assert_string_equal(said, "skipped.1: needs: ve; host: a processor without\n"
				  "skipped.130: needs: ve; host: a processor without\n");
	for (unsigned n = 1; n <= OPERATIONS + 1; n++)
		assert_int_equal(is_selected(0, n), n != 1 && n != 64 && n != 130);
}

/* The ledger has what is skipped once. */
static void of_every_guest_by_its_own_setups(void **state)
{
	(void)state;
	plan.setups[0][3].needs_ve = plan.setups[1][5].needs_ve = 1;
	for (unsigned i = 0; i < GUESTS; i++)
		bare_leave_out_ve(bare_relay_vcpu(i));
	assert_string_equal(said, "skipped.3: needs: ve; host: a processor without\n");
	for (unsigned n = 1; n <= OPERATIONS; n++) {
		assert_int_equal(is_selected(0, n), n != 3);
		assert_int_equal(is_selected(1, n), n != 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(left_out_is_what_needs_it, setup),
		cmocka_unit_test_setup(of_every_guest_by_its_own_setups, setup),
	};

	return cmocka_run_group_tests_name("leave_out", tests, NULL, NULL);
}
