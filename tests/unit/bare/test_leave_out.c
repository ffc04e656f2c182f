/* SPDX-License-Identifier: GPL-2.0-only */
/* On a processor without #VE: what needs it is not performed, and the ledger says so of what was to be. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "guestfw/bare/leave_out.c"

#define OPERATIONS 130

struct bare bare;

static struct {
	struct bare_plan plan;
	struct bare_setup setups[OPERATIONS + 1];
} plan;
static struct ss_context context;
static char said[512];

void log_meta(const char *key, const char *value)
{
	const size_t used = strlen(said);

	snprintf(said + used, sizeof(said) - used, "%s: %s\n", key, value);
}

static int is_selected(unsigned operation)
{
	return context.selected[(operation - 1) / 64] >> (operation - 1) % 64 & 1;
}

static void left_out_is_what_needs_it(void **state)
{
	struct relay_vcpu vcpu = {.regs = {[RDI] = (uint64_t)(uintptr_t)&context}};

	(void)state;
	plan.plan.operation_count = OPERATIONS;
	plan.plan.setups = offsetof(typeof(plan), setups);
	bare.plan = &plan.plan;
	memset(context.selected, 0xff, sizeof(context.selected));
	/* The first, one that nobody asked for, one with three digits; that of no operation is not looked at. */
	plan.setups[0].needs_ve = plan.setups[1].needs_ve = plan.setups[64].needs_ve = plan.setups[130].needs_ve = 1;
	context.selected[0] &= ~(UINT64_C(1) << 63);
	bare_leave_out_ve(&vcpu);
	assert_string_equal(said, "skipped.1: needs: ve; host: a processor without\n"
				  "skipped.130: needs: ve; host: a processor without\n");
	for (unsigned n = 1; n <= OPERATIONS + 1; n++)
		assert_int_equal(is_selected(n), n != 1 && n != 64 && n != 130);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(left_out_is_what_needs_it),
	};

	return cmocka_run_group_tests_name("leave_out", tests, NULL, NULL);
}
