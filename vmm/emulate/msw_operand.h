/* SPDX-License-Identifier: GPL-2.0-only */
/* LMSW and SMSW with an operand in memory, which the relay leaves to the VMM. */
#ifndef VMM_EMULATE_MSW_OPERAND_H
#define VMM_EMULATE_MSW_OPERAND_H

#include "vmm/emulate/page_walk.h"

struct msw_operand {
	bool store;       /* SMSW stores the word, LMSW loads it */
	unsigned vector;  /* what its segment makes of the access, with error code 0: 12, 13, or 0 for none */
	uint64_t address; /* linear */
	unsigned length;  /* of the instruction */
};

/* Decodes the instruction at CS:RIP. `regs` are in the processor's numbering, RSP included. Returns 0, or
 * -EOPNOTSUPP for any other instruction. */
int msw_operand_decode(const struct page_walk_space *space, uint64_t rip, const uint64_t regs[16],
		       struct msw_operand *ret_operand);

#endif
