/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that the relay has decoded before. To find the bytes of one takes a walk of the guest's page tables,
 * each of whose entries takes a walk of the view's. The answer depends on nothing but registers and the words that
 * were loaded: as long as these are what they were, it is the same, and comparing them is quicker. Nothing has to
 * be told when somebody changes tables or code. Freestanding.
 */
#ifndef SIDESTEP_DECODED_H
#define SIDESTEP_DECODED_H

#include "decode.h"

/* Enough for five levels in the guest and four in the view, and code that lies in two words. */
#define WALK_WORDS_MAX 32

/* Levels of a view's tables, and one more for what is no table of a view. */
#define WALK_LEVELS 5

/* What a walk has loaded, in that order. Of each level of the view's tables it is noted once as long as it is the same
 * entry, as mostly it is: what the guest has is close together. */
struct walk_words {
	unsigned count; /* above WALK_WORDS_MAX: there were more, and they are not all here */
	uint64_t last[WALK_LEVELS]; /* of level n, from 1: the address, with bit 0 set */
	struct {
		uint64_t address, value;
	} word[WALK_WORDS_MAX];
};

/* What decides, besides memory, which instruction it is. */
struct relay_place {
	uint64_t linear; /* address of the first byte */
	uint64_t cr3, nested_cr3;
	uint32_t paging; /* enum guest_paging */
	uint32_t mode;   /* enum relay_mode */
};

struct relay_decoded {
	struct relay_place place;
	struct walk_words words; /* none: nothing is known */
	struct relay_insn insn;
};

/* How many a vCPU has. An instruction has one for each view that it is executed in. */
#define RELAY_DECODED_MAX 64

static inline unsigned relay_decoded_index(const struct relay_place *place)
{
	return (place->linear ^ place->linear >> 6 ^ place->nested_cr3 >> 12) % RELAY_DECODED_MAX;
}

#endif
