/* SPDX-License-Identifier: GPL-2.0-only */
#include "operand.h"

#include <errno.h>

#include "insn.h"

int operand_decode(const struct linear_space *space, uint64_t rip, const uint64_t regs[16],
		   const struct kvm_sregs *segments, struct operand *ret_operand)
{
	const struct insn_state state = {rip, regs, segments->fs.base, segments->gs.base};
	struct insn insn;
	uint64_t address;

	if (insn_fetch(space, rip, &insn) != 0 ||
	    (insn.decoded.mnemonic != ZYDIS_MNEMONIC_LMSW &&
	     insn.decoded.mnemonic != ZYDIS_MNEMONIC_SMSW) ||
	    insn_address(&insn, &insn.operands[0], &state, &address) != 0)
		return -EOPNOTSUPP;
	*ret_operand = (struct operand){
		.store = insn.decoded.mnemonic == ZYDIS_MNEMONIC_SMSW,
		.address = address,
		.length = insn.decoded.length,
	};
	return 0;
}
