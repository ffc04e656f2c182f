/* SPDX-License-Identifier: MIT */
/* What the firmware's C code and its assembly routines share. Offsets reach the assembly through
 * offsets.c, never typed twice. */
#ifndef SIDESTEP_GUESTFW_FRAME_H
#define SIDESTEP_GUESTFW_FRAME_H

#include "abi.h"

/* Arguments and result of one call of an operation's routine. A routine leaves `cr0` and `arg` as
 * they stand after its last repetition, so that the next call goes on where this one ended. */
struct frame {
	uint64_t cr0;        /* whole value of CR0 to start from */
	uint64_t arg;        /* operand, from the catalogue */
	uint64_t flip;       /* VMFUNC: what is XORed into the index each time */
	uint64_t address;    /* memory operand */
	uint64_t store;      /* what a store writes */
	uint64_t ticks;      /* out: TSC ticks of all repetitions */
	uint64_t value;      /* out: what the last repetition yielded */
	uint64_t kernel_rsp; /* while at CPL 3 */
	uint64_t user_rsp;
	uint64_t words;   /* address of the vCPU's struct ss_flag_words */
	uint64_t vmmcall; /* not 0: hypercalls are VMMCALL, else VMCALL */
};

/* Routines clobber only what the ABI of the platform lets a function clobber. */
typedef void routine_fn(struct frame *frame, uint64_t repetitions);

#endif
