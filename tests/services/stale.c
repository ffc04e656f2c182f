/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Uses a page, has the VMM take its rights away, uses it again, has them given back. What the VMM does it
 * does when it is asked for nothing (SS_HYPERCALL_NULL_VMM), by a hook of the test. Leaves in its vCPU
 * page how often the page was still there: `done`; and the ticks of it all: `result.value`.
 */
#include "guest.h"

#define ROUNDS 200

static void ask_for_nothing(void)
{
	hypercall(SS_HYPERCALL_NULL_VMM, 0, context->flags & SS_CONTEXT_VMMCALL);
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	struct ss_vcpu_page *shared = (void *)(given->vcpu_page_gpa + 4096 * index);
	volatile uint64_t *page = (void *)(given->window_gpa + 4096ull * SS_WINDOW_SHARED);
	uint64_t stale = 0, start;

	context = given;
	check(1, *page == SS_WINDOW_SHARED_VALUE);
	start = read_tsc();
	for (unsigned i = 0; i < ROUNDS; i++) {
		ask_for_nothing();
		stale += *page == SS_WINDOW_SHARED_VALUE;
		ask_for_nothing();
		check(2, *page == SS_WINDOW_SHARED_VALUE);
	}
	shared->result.value = (read_tsc() - start) / ROUNDS;
	shared->done = stale;
	leave(0);
}
