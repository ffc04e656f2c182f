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

#include "decoded.h"
#include "views/guest_paging.h"

#define WALK_ADDRESS GUEST_PTE_ADDRESS
#define WALK_NOWHERE UINT64_MAX

static uint64_t walk_load(uint64_t address);

struct walk {
	uint64_t nested_cr3;
	uint64_t cr3;
	enum guest_paging paging; /* of the guest; nested tables have four levels */
	struct walk_words *words; /* where to note what is loaded, or NULL */
};

/* The aligned word around an address: of a level of the view's tables, or of level 0. */
static inline uint64_t walk_word(const struct walk *walk, unsigned level, uint64_t at)
{
	struct walk_words *words = walk->words;
	uint64_t address = at & ~UINT64_C(7), value = walk_load(address);

	if (!words || (level && words->last[level] == (address | 1)))
		return value;
	words->last[level] = address | 1;
	if (words->count < WALK_WORDS_MAX) {
		words->word[words->count].address = address;
		words->word[words->count].value = value;
	}
	words->count++;
	return value;
}

/* Whether another walk would load the same. */
static inline int walk_repeats(const struct walk_words *words)
{
	if (words->count == 0 || words->count > WALK_WORDS_MAX)
		return 0;
	for (unsigned i = 0; i < words->count; i++)
		if (walk_load(words->word[i].address) != words->word[i].value)
			return 0;
	return 1;
}

/* An entry of a table of the guest, of 4 or 8 bytes. */
static inline uint64_t walk_entry(const struct walk *walk, uint64_t at)
{
	uint64_t word = walk_word(walk, 0, at);

	return guest_paging_is_32(walk->paging) ? (uint32_t)(word >> (at & 4) * 8) : word;
}

/* Guest-physical to L1's memory, or WALK_NOWHERE. */
static inline uint64_t walk_view(const struct walk *walk, uint64_t gpa)
{
	const enum guest_paging paging = GUEST_PAGING_4_LEVELS;
	uint64_t table = guest_paging_root(paging, walk->nested_cr3);

	for (unsigned level = guest_paging_levels(paging); level >= 1; level--) {
		uint64_t at = guest_paging_entry(paging, table, level, gpa);
		uint64_t entry = walk_word(walk, level, at);

		if (!(entry & GUEST_PTE_PRESENT))
			break;
		if (guest_paging_is_page(paging, level, entry))
			return guest_paging_page(paging, level, entry, gpa);
		table = guest_paging_table(entry);
	}
	return WALK_NOWHERE;
}

/* Linear to L1's memory, or WALK_NOWHERE. */
static inline uint64_t walk_linear(const struct walk *walk, uint64_t linear)
{
	const enum guest_paging paging = walk->paging;
	uint64_t table = guest_paging_root(paging, walk->cr3);

	if (paging == GUEST_PAGING_NONE)
		return walk_view(walk, linear);
	for (unsigned level = guest_paging_levels(paging); level >= 1; level--) {
		uint64_t at = walk_view(walk, guest_paging_entry(paging, table, level, linear)), entry;

		if (at == WALK_NOWHERE)
			break;
		entry = walk_entry(walk, at);
		if (!(entry & GUEST_PTE_PRESENT))
			break;
		if (guest_paging_is_page(paging, level, entry))
			return walk_view(walk, guest_paging_page(paging, level, entry, linear));
		table = guest_paging_table(entry);
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
			word = walk_word(walk, 0, at) >> (at & 7) * 8;
		code[count] = (uint8_t)word;
	}
	return count;
}

#endif
