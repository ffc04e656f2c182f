/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model of one access of CR0: what comes of it, and who has to step in. */
#ifndef VIEWS_EXPECT_CR0_H
#define VIEWS_EXPECT_CR0_H

#include "views/expectation.h"

/* Exits of the accesses so far; those that end at L0 by what drives it. */
struct cr0_steps {
	unsigned vmx, svm, monitor, vmm;
};

/* The guest writes `value`, as it sees the register, with an instruction (enum ss_instruction). Changes
 * the words as engine, relay and VMM do, and counts the exits. */
void cr0_write_step(const struct expect_environment *environment, uint32_t insn,
		    struct flag_words *words, uint64_t value, struct cr0_steps *steps);

/* Exits to the monitor that a read of CR0 costs. */
unsigned cr0_read_exits(const struct expect_environment *environment,
			const struct flag_words *words);

#endif
