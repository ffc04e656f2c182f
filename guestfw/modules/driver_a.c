/* SPDX-License-Identifier: MIT */
/* A driver that does its work, until it is told to turn hostile. */
#include "modules.h"

static uint64_t sum;

/* No more than what an exploited driver could do by itself: the addresses are no secret. */
static uint64_t jump_into_kernel(void)
{
	uint64_t (*volatile middle)(void) = kernel_middle;

	return middle();
}

/* Nobody keeps a driver from the middle of the gate, with registers of its choice. */
static _Noreturn void forge_answer(void)
{
	__asm__ volatile("jmp gate_vmfunc"
			 :
			 : "a"(0), "c"(VIEW_B), "D"(MESSAGE_ANSWER), "S"(GOT_AWAY)
			 : "memory");
	__builtin_unreachable();
}

uint64_t driver_a_serve(uint64_t function, uint64_t x)
{
	switch (function) {
	case A_ADD:
		sum += x;
		return sum;
	case A_CHAIN:
		sum += x;
		return driver_a_call(VIEW_B, B_CHAIN, x);
	case A_WRITE_KERNEL:
		kernel_secret = 0;
		return GOT_AWAY;
	case A_WRITE_DRIVER:
		driver_b_sum = 0;
		return GOT_AWAY;
	case A_JUMP_KERNEL:
		jump_into_kernel();
		return GOT_AWAY;
	case A_FORGE_ANSWER:
		forge_answer();
	default:
		return (uint64_t)CALL_UNKNOWN;
	}
}
