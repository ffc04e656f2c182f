/* SPDX-License-Identifier: GPL-2.0-only */
/* Random programs of accesses of CR0 or CR4, FPU instructions and, where guests share a vCPU, hypercalls that yield it;
 * and what the reference model says of them. */
#ifndef VIEWS_PROGRAM_H
#define VIEWS_PROGRAM_H

#include "views/control.h"
#include "views/expect.h"

/* Flags that programs write, mask and start with: of CR4 TSD, DE and PCE. */
#define PROGRAM_CR0_FLAGS (SS_CR0_MP | SS_CR0_EM | SS_CR0_TS)
#define PROGRAM_CR4_FLAGS 0x10cu

static inline uint32_t program_flags(uint32_t cr)
{
	return cr == 4 ? PROGRAM_CR4_FLAGS : PROGRAM_CR0_FLAGS;
}

/* Those that an operand may have: LMSW has PE too. */
static inline uint32_t program_operands(uint32_t cr)
{
	return cr == 4 ? PROGRAM_CR4_FLAGS : PROGRAM_CR0_FLAGS | SS_CR0_PE;
}

/* What of a program's flags may be masked: nothing in engines without a monitor, and by an embodiment
 * that has no third place only what is kept. */
enum program_masks { PROGRAM_MASKS_NONE, PROGRAM_MASKS_KEPT, PROGRAM_MASKS_ANY };

/* Program `index` of a seed: always the same one, whatever was generated before. */
void program_generate(uint64_t seed, uint64_t index, enum program_masks masks, bool yields,
		      uint32_t steps, struct ss_program *program);

/* The masks that the VMM has to put in place for a program, as those of an operation. */
struct ss_operation program_masks(const struct ss_program *program);

struct program_prediction {
	uint64_t seen[SS_PROGRAM_STEPS];
	enum control_fault fault[SS_PROGRAM_STEPS]; /* what is wrong with the value that a step writes */
	unsigned monitor, vmm; /* exits of the whole program */
};

void program_predict(const struct expect_environment *environment,
		     const struct ss_program *program, struct program_prediction *prediction);

/* Removes `count` steps from `first` on. */
void program_remove(struct ss_program *program, uint32_t first, uint32_t count);

#endif
