/* SPDX-License-Identifier: MIT */
/* A driver that needs the kernel for its work. */
#include "modules.h"

volatile uint64_t driver_b_sum;

uint64_t driver_b_serve(uint64_t function, uint64_t x)
{
	switch (function) {
	case B_CHAIN:
		driver_b_sum += x;
		return driver_b_call(VIEW_KERNEL, KERNEL_COUNT, x);
	case B_SUM:
		return driver_b_sum;
	default:
		return (uint64_t)CALL_UNKNOWN;
	}
}
