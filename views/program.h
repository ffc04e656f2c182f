/* SPDX-License-Identifier: GPL-2.0-only */
/* Random programs of CR0 accesses and what the reference model says of them. */
#ifndef VIEWS_PROGRAM_H
#define VIEWS_PROGRAM_H

#include "views/expect.h"

/* Flags that programs write, mask and start with. */
#define PROGRAM_FLAGS (SS_CR0_MP | SS_CR0_EM | SS_CR0_TS)

/* Program `index` of a seed: always the same one, whatever was generated before. With `masks` clear
 * nothing is masked, for engines without a monitor. */
void program_generate(uint64_t seed, uint64_t index, bool masks, uint32_t steps,
		      struct ss_program *program);

struct program_prediction {
	uint64_t seen[SS_PROGRAM_STEPS];
	unsigned monitor, vmm; /* exits of the whole program */
};

void program_predict(const struct expect_environment *environment,
		     const struct ss_program *program, struct program_prediction *prediction);

/* Removes `count` steps from `first` on. */
void program_remove(struct ss_program *program, uint32_t first, uint32_t count);

#endif
