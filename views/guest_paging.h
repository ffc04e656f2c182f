/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own page tables in every mode of paging (Intel SDM vol. 3A, 4.1 to 4.5; AMD APM vol. 2, 5.2 and
 * 5.3): where an entry lies and what it says, for whoever walks them. Pure arithmetic: relay and VMM have
 * their ways to load an entry, and to look at rights. Freestanding.
 */
#ifndef VIEWS_GUEST_PAGING_H
#define VIEWS_GUEST_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#define GUEST_PTE_PRESENT 1u
#define GUEST_PTE_WRITE 2u
#define GUEST_PTE_USER 4u
#define GUEST_PTE_LARGE 0x80u
#define GUEST_PTE_NO_EXECUTE (UINT64_C(1) << 63)
#define GUEST_PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* Value 0 is what a guest starts with. */
enum guest_paging {
	GUEST_PAGING_4_LEVELS,
	GUEST_PAGING_5_LEVELS,
	GUEST_PAGING_PAE,
	GUEST_PAGING_32,     /* of 32 bits; with CR4.PSE, so pages of 4 MiB */
	GUEST_PAGING_32_4K,  /* the same without */
	GUEST_PAGING_NONE,   /* linear addresses are physical ones */
	GUEST_PAGING_COUNT,
};

static inline enum guest_paging guest_paging_of(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	if (!(cr0 >> 31 & 1))
		return GUEST_PAGING_NONE;
	if (efer >> 10 & 1)
		return cr4 >> 12 & 1 ? GUEST_PAGING_5_LEVELS : GUEST_PAGING_4_LEVELS;
	if (cr4 >> 5 & 1)
		return GUEST_PAGING_PAE;
	return cr4 >> 4 & 1 ? GUEST_PAGING_32 : GUEST_PAGING_32_4K;
}

static inline bool guest_paging_is_32(enum guest_paging paging)
{
	return paging == GUEST_PAGING_32 || paging == GUEST_PAGING_32_4K;
}

/* Levels are numbered from 1, the one whose entries are pages always, up to this. */
static inline unsigned guest_paging_levels(enum guest_paging paging)
{
	switch (paging) {
	case GUEST_PAGING_4_LEVELS:
		return 4;
	case GUEST_PAGING_5_LEVELS:
		return 5;
	case GUEST_PAGING_PAE:
		return 3;
	case GUEST_PAGING_NONE:
		return 0;
	default:
		return 2;
	}
}

static inline uint64_t guest_paging_root(enum guest_paging paging, uint64_t cr3)
{
	if (paging == GUEST_PAGING_PAE)
		return cr3 & 0xffffffe0;
	return guest_paging_is_32(paging) ? cr3 & 0xfffff000 : cr3 & GUEST_PTE_ADDRESS;
}

/* Bytes of an entry, which lies at a multiple of that. */
static inline unsigned guest_paging_entry_size(enum guest_paging paging)
{
	return guest_paging_is_32(paging) ? 4 : 8;
}

/* Lowest bit of a linear address that chooses an entry of the level. */
static inline unsigned guest_paging_shift(enum guest_paging paging, unsigned level)
{
	return 12 + (guest_paging_is_32(paging) ? 10 : 9) * (level - 1);
}

/* Where the entry for a linear address lies in a table. */
static inline uint64_t guest_paging_entry(enum guest_paging paging, uint64_t table, unsigned level,
					  uint64_t linear)
{
	uint64_t entries = guest_paging_is_32(paging) ? 1024 : 512;

	if (paging == GUEST_PAGING_PAE && level == 3)
		entries = 4;
	return table + (linear >> guest_paging_shift(paging, level) & (entries - 1)) *
			       guest_paging_entry_size(paging);
}

/* Whether entries of the level say who may write, and what CPL 3 may. */
static inline bool guest_paging_has_rights(enum guest_paging paging, unsigned level)
{
	return paging != GUEST_PAGING_PAE || level < 3;
}

/* Whether a present entry is that of a page. */
static inline bool guest_paging_is_page(enum guest_paging paging, unsigned level, uint64_t entry)
{
	unsigned largest = paging == GUEST_PAGING_PAE || paging == GUEST_PAGING_32 ? 2
			   : paging == GUEST_PAGING_32_4K			   ? 1
										   : 3;

	return level == 1 || (level <= largest && entry & GUEST_PTE_LARGE);
}

/* The table that an entry refers to. */
static inline uint64_t guest_paging_table(uint64_t entry)
{
	return entry & GUEST_PTE_ADDRESS;
}

/* The physical address that the entry of a page gives to a linear one. Pages of 4 MiB have bits 39:32 of
 * theirs at 20:13 (PSE-36). */
static inline uint64_t guest_paging_page(enum guest_paging paging, unsigned level, uint64_t entry,
					 uint64_t linear)
{
	uint64_t offset = (UINT64_C(1) << guest_paging_shift(paging, level)) - 1;
	uint64_t page = entry & GUEST_PTE_ADDRESS;

	if (paging == GUEST_PAGING_32 && level == 2)
		page = (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	return (page & ~offset) | (linear & offset);
}

#endif
