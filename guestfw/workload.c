/* SPDX-License-Identifier: MIT */
/* A guest that does not end: operations at a chosen rate, for those who want to watch its exits. */
#include "workload.h"

#include "catalogue.h"

/* When each operation is due, by the time stamp counter; 0: it has not been performed yet. */
static uint64_t due[SS_MAX_VCPUS][SS_MAX_OPERATIONS];

static uint64_t period(const struct ss_context *context, uint32_t number)
{
	return context->workload[number - 1].period_us * context->tsc_khz / 1000;
}

/* What is due next starts from when it was due, so that the rate holds; what has fallen behind by more
 * than a period does not catch up. */
static uint64_t next(uint64_t was_due, uint64_t period, uint64_t now)
{
	if (period == 0 || was_due == 0 || was_due + 2 * period < now)
		return now + period;
	return was_due + period;
}

/* One look at every operation. Returns the earliest time at which one is due, 0 if that is now. */
static uint64_t go_round(struct cpu *cpu, perform_fn *perform)
{
	const struct ss_context *context = cpu->context;
	uint64_t earliest = ~0ull;

	for (uint32_t n = 1; n <= catalogue_size; n++) {
		uint64_t *when = &due[cpu->index][n - 1], now = read_tsc();

		if (!is_selected(context, n))
			continue;
		if (now >= *when) {
			perform(cpu, n, context->workload[n - 1].count, *when == 0);
			*when = next(*when, period(context, n), now);
		}
		if (*when < earliest)
			earliest = *when;
	}
	return earliest;
}

_Noreturn void run_workload(struct cpu *cpu, perform_fn *perform)
{
	for (;;) {
		uint64_t earliest = go_round(cpu, perform);

		/* There is no timer that could end a HLT. */
		while (read_tsc() < earliest)
			__asm__ volatile("pause");
	}
}
