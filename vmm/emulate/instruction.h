/* SPDX-License-Identifier: GPL-2.0-only */
/* An instruction of the guest, taken apart, and where its operands in memory lie. */
#ifndef VMM_EMULATE_INSTRUCTION_H
#define VMM_EMULATE_INSTRUCTION_H

#include <Zydis/Zydis.h>

#include "vmm/emulate/page_walk.h"

#define INSN_MAX 15u

struct insn {
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* What an address is computed from. */
struct insn_state {
	uint64_t rip;         /* of the instruction */
	const uint64_t *regs; /* 16, in the processor's numbering */
};

/* Decodes bytes as one instruction in the given mode. Returns 0; -ENODATA: more bytes are needed; -E2BIG: it
 * has more than INSN_MAX; -EOPNOTSUPP: there is no such instruction. */
int insn_decode(const struct cpu_mode *mode, const uint8_t *code, unsigned size,
		struct insn *ret_insn);

/* The same for the instruction at CS:RIP. */
int insn_fetch(const struct page_walk_space *space, uint64_t rip, struct insn *ret_insn);

/* Writes the instruction, which lies at this address, as an assembler has it (Intel's syntax); "?" if that fails. */
void insn_text(const struct insn *insn, uint64_t address, char *text, size_t size);

/* The value of a general register, or of the part of one that has a name; what is above the part is not cleared. `regs`
 * are 16, in the processor's numbering. Returns false for any other register. */
bool insn_register(const uint64_t regs[16], ZydisRegister reg, uint64_t *ret_value);

/* Where an operand in memory is: its segment, and the offset there. Returns 0 or -EOPNOTSUPP. */
int insn_offset(const struct insn *insn, const ZydisDecodedOperand *operand,
		const struct insn_state *state, enum cpu_segment *ret_segment, uint64_t *ret_offset);

/* The same as a linear address. */
int insn_address(const struct cpu_mode *mode, const struct insn *insn,
		 const ZydisDecodedOperand *operand, const struct insn_state *state,
		 uint64_t *ret_address);

#endif
