/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which exception an instruction raises, from the registers and the memory in front of it: how a guest that could not
 * take one is told which. The processor does not keep it: after a triple fault it says nothing of the first event.
 */
#ifndef VMM_EMULATE_FIRST_EXCEPTION_H
#define VMM_EMULATE_FIRST_EXCEPTION_H

#include "vmm/emulate/isa.h"

/* Where the instruction is, and what decides about it besides. */
struct first_exception_place {
	struct page_walk_space space;
	struct insn_state state;
	struct isa isa;
	uint64_t cr0;
	unsigned cpl;
};

struct first_exception {
	unsigned vector;
	bool asked_for;      /* by INT n, with which the processor pushes no error code */
	bool has_error_code; /* what the processor pushes besides */
	unsigned error_code;
	uint64_t address;    /* of a page fault: linear */
};

/*
 * Finds the exception. Returns 0, or -ENOENT: none can be told from what is looked at, which is fetch, encoding,
 * privilege, the state of FPU and SSE, divisors, segments' limits and page tables. What else an instruction checks,
 * such as a selector or a value for a register, is not.
 */
int first_exception_find(const struct first_exception_place *place, struct first_exception *ret_exception);

#endif
