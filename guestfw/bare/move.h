/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that move one operand between a register and memory: the accesses that can be carried out for a guest, or
 * left out, without an interpreter. Encodings are those of Intel SDM vol. 2. */
#ifndef SIDESTEP_BARE_MOVE_H
#define SIDESTEP_BARE_MOVE_H

#include <stdint.h>

#define MOVE_INSN_MAX 15

struct bare_move {
	unsigned length; /* of the instruction */
	int load;        /* to the register, else to memory */
	unsigned size;   /* bytes in memory */
	unsigned width;  /* of a load: bytes of the register; those above a register of 4 are cleared */
	int sign;        /* of a load: extended by its sign, else by zeros */
	int immediate;   /* of a store: it is `value` that is stored, not a register */
	unsigned reg;    /* in the processor's numbering */
	unsigned shift;  /* of a store: where in the register it begins; 8 for AH, CH, DH and BH */
	uint64_t value;
};

/* Decodes the bytes of an instruction in 64-bit mode, so many of which are there. Returns whether it is a MOV, MOVZX,
 * MOVSX, MOVSXD or MOVNTI with an operand in memory that can be told here: not a load of AH and its kin. */
int move_decode(const uint8_t *code, unsigned count, struct bare_move *ret_move);

/* What is stored. */
uint64_t move_stored(const struct bare_move *move, const uint64_t regs[16]);

/* Puts into the register what was loaded, of which bytes beyond the size do not count. */
void move_load(const struct bare_move *move, uint64_t regs[16], uint64_t value);

#endif
