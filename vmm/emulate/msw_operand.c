/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/msw_operand.h"

#include <errno.h>

#include "vmm/emulate/instruction.h"

#define WORD 2

int msw_operand_decode(const struct page_walk_space *space, uint64_t rip, const uint64_t regs[16],
		       struct msw_operand *ret_operand)
{
	const struct insn_state state = {rip, regs};
	enum cpu_segment segment;
	uint64_t offset;
	struct insn insn;
	bool store;

	if (insn_fetch(space, rip, &insn) != 0 ||
	    (insn.decoded.mnemonic != ZYDIS_MNEMONIC_LMSW &&
	     insn.decoded.mnemonic != ZYDIS_MNEMONIC_SMSW) ||
	    insn_offset(&insn, &insn.operands[0], &state, &segment, &offset) != 0)
		return -EOPNOTSUPP;
	store = insn.decoded.mnemonic == ZYDIS_MNEMONIC_SMSW;
	*ret_operand = (struct msw_operand){
		.store = store,
		.vector = cpu_mode_fault(&space->mode, segment, offset, WORD, store),
		.address = cpu_mode_linear(&space->mode, segment, offset),
		.length = insn.decoded.length,
	};
	return 0;
}
