/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model of accesses of CR0 or CR4, one after the other: what comes of each, and who has to step in. */
#ifndef VIEWS_EXPECT_CR0_H
#define VIEWS_EXPECT_CR0_H

#include "views/control.h"
#include "views/expectation.h"

struct cr0_state {
	bool cr4; /* it is CR4, by the kind of the operation */
	struct ss_flag_words words;
	uint64_t passed; /* flags whose writes the VMM carries out, whatever the words say */
	/* Exits of the accesses so far; those that end at L0 by what drives it. */
	unsigned vmx, svm, monitor, vmm;
	unsigned faults; /* of the accesses so far, and the vector of the last */
	uint32_t vector;
	enum control_fault fault; /* what was wrong with the value of the last write, if it was that */
};

/* As an operation finds it. */
struct cr0_state cr0_start(const struct expect_environment *environment, const struct ss_operation *op);

/* The guest writes the register by MOV, CLTS or LMSW (enum ss_instruction) with this operand. Changes the
 * words as engine, relay and VMM do, and counts the exits. Returns the vector of a fault, or 0. */
uint32_t cr0_write_step(const struct expect_environment *environment, uint32_t insn,
			struct cr0_state *state, uint64_t operand);

/* The guest reads; returns what it sees. */
uint64_t cr0_read_step(const struct expect_environment *environment, struct cr0_state *state);

/* The guest executes an instruction (FXSAVE, or WAIT) that obeys the register. Returns as for a write. */
uint32_t cr0_fpu_step(uint32_t insn, struct cr0_state *state);

#endif
