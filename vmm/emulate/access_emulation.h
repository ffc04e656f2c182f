/* SPDX-License-Identifier: GPL-2.0-only */
/* What an instruction does whose access to memory is refused, and which access that was. */
#ifndef VMM_EMULATE_ACCESS_EMULATION_H
#define VMM_EMULATE_ACCESS_EMULATION_H

#include "vmm/emulate/instruction.h"

/*
 * Carries out a load or store without its access, for engines where KVM does not: a register that a load
 * would have filled becomes all ones, in the width of the operand; what a store would have written is
 * dropped. That works for MOV, MOVZX and MOVSX from memory to a general register, and for every
 * instruction that changes nothing but one operand in memory, which it does not read. Returns 0 and the
 * length of the instruction at CS:RIP, or -EOPNOTSUPP with `regs` untouched.
 */
int access_refuse(const struct page_walk_space *space, uint64_t rip, uint64_t regs[16],
		  unsigned *ret_length);

/* Where an operand in memory is that the instruction accesses: as insn_offset(), but for PUSH and CALL, which store
 * below where RSP stands. Returns 0 or -EOPNOTSUPP. */
int access_offset(const struct insn *insn, const ZydisDecodedOperand *operand, const struct insn_state *state,
		  enum cpu_segment *ret_segment, uint64_t *ret_offset);

/* What an instruction stores that moves a general register or a number to memory (MOV, MOVNTI, PUSH, STOS), with the
 * registers that it finds. Returns how many bytes, all above which are 0 in *ret_value; 0 for any other instruction. */
unsigned access_stored(const struct insn *insn, const uint64_t regs[16], uint64_t *ret_value);

/* Which linear address the instruction at `state->rip` accesses that the guest's page tables map to `gpa`.
 * Returns 0 or -ENOENT. */
int access_find(const struct page_walk_space *space, const struct insn_state *state, uint64_t gpa,
		uint64_t *ret_gva);

/* The same for other accesses on the way of the instruction: its own bytes, the first if that is in the page;
 * the page tables, whose entry at `gpa` translates what is returned; the frame of an exception that is
 * delivered on the stack in use. */
int access_find_fetch(const struct page_walk_space *space, uint64_t rip, uint64_t gpa, uint64_t *ret_gva);
int access_find_walk(const struct page_walk_space *space, const struct insn_state *state, uint64_t gpa,
		     uint64_t *ret_gva);
int access_find_frame(const struct page_walk_space *space, uint64_t rsp, uint64_t gpa, uint64_t *ret_gva);

/* A store that is over: KVM shows what it wrote, and the registers behind it. */
struct store {
	uint64_t gpa;
	uint64_t data;
	unsigned size;
};

/*
 * Finds the instruction in front of `state->rip` that made a store, by trying where it may begin. Returns
 * 0, the address of the instruction and that of the store, or -ENOENT: it was a jump, or changed a
 * register that its address depends on.
 */
int access_find_store(const struct page_walk_space *space, const struct insn_state *state,
		      const struct store *store, uint64_t *ret_rip, uint64_t *ret_gva);

#endif
