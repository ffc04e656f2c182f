/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a linear address of the nested guest to memory of L1: the guest's page tables, each of whose
 * entries lies where the active view says (AMD APM vol. 2, 15.25.5). Used for instructions that have
 * been fetched already, so rights are not looked at, only what is present. Freestanding: who includes
 * this defines walk_load(), which reads an aligned word of L1's memory.
 */
#ifndef SIDESTEP_WALK_H
#define SIDESTEP_WALK_H

#include <stdint.h>

#define WALK_PRESENT 1u
#define WALK_LARGE 0x80u
#define WALK_ADDRESS UINT64_C(0x000ffffffffff000)
#define WALK_NOWHERE UINT64_MAX

static uint64_t walk_load(uint64_t address);

struct walk {
	uint64_t nested_cr3;
	uint64_t cr3;
	unsigned levels; /* of the guest's tables: 4 or 5; 0: not paged in a way known here */
};

static inline uint64_t walk_offset(unsigned level)
{
	return (UINT64_C(1) << (12 + 9 * (level - 1))) - 1;
}

static inline int walk_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (level <= 3 && entry & WALK_LARGE);
}

static inline uint64_t walk_leaf(uint64_t entry, unsigned level, uint64_t address)
{
	uint64_t offset = walk_offset(level);

	return (entry & WALK_ADDRESS & ~offset) | (address & offset);
}

static inline uint64_t walk_entry(uint64_t table, unsigned level, uint64_t address)
{
	return (table & WALK_ADDRESS) + (address >> (12 + 9 * (level - 1)) & 511) * 8;
}

/* Guest-physical to L1's memory, or WALK_NOWHERE. */
static inline uint64_t walk_view(const struct walk *walk, uint64_t gpa)
{
	uint64_t table = walk->nested_cr3;

	for (unsigned level = 4; level >= 1; level--) {
		uint64_t entry = walk_load(walk_entry(table, level, gpa));

		if (!(entry & WALK_PRESENT))
			break;
		if (walk_is_leaf(entry, level))
			return walk_leaf(entry, level, gpa);
		table = entry;
	}
	return WALK_NOWHERE;
}

/* Linear to L1's memory, or WALK_NOWHERE. */
static inline uint64_t walk_linear(const struct walk *walk, uint64_t linear)
{
	uint64_t table = walk->cr3;

	for (unsigned level = walk->levels; level >= 1; level--) {
		uint64_t at = walk_view(walk, walk_entry(table, level, linear)), entry;

		if (at == WALK_NOWHERE)
			break;
		entry = walk_load(at);
		if (!(entry & WALK_PRESENT))
			break;
		if (walk_is_leaf(entry, level))
			return walk_view(walk, walk_leaf(entry, level, linear));
		table = entry;
	}
	return WALK_NOWHERE;
}

/* Copies up to `size` bytes of code; fewer at the end of what is mapped. Returns how many. */
static inline unsigned walk_fetch(const struct walk *walk, uint64_t linear, uint8_t *code,
				  unsigned size)
{
	uint64_t at = WALK_NOWHERE, word = 0;
	unsigned count;

	for (count = 0; count < size; count++, at++, word >>= 8) {
		if (count == 0 || (at & 0xfff) == 0)
			at = walk_linear(walk, linear + count);
		if (at == WALK_NOWHERE)
			break;
		if (count == 0 || (at & 7) == 0)
			word = walk_load(at & ~UINT64_C(7)) >> (at & 7) * 8;
		code[count] = (uint8_t)word;
	}
	return count;
}

#endif
