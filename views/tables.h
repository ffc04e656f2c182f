/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_TABLES_H
#define VIEWS_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/gpa.h"
#include "views/paging.h"

/*
 * Guest memory set aside for tables, taken page by page from the start. host
 * is where base is mapped; base, size and used are page aligned. The pages
 * need not be zero.
 */
struct table_arena {
	gpa_t base;
	void *host;
	uint64_t size;
	uint64_t used;
};

struct table_slot;

/*
 * Finished tables by content: two tables with equal bytes are one table, so
 * equal sub-trees, built bottom-up, are one sub-tree. A table in the pool is
 * never written again by its builder, but by processors, which note in an entry
 * that they have used it: these bits do not count.
 */
struct table_pool {
	struct table_arena *arena;
	uint64_t used; /* those bits */
	struct table_slot *slots;
	size_t capacity; /* a power of two */
	size_t count;
	struct table_slot *spare; /* for a sweep: as many as there are slots */
	uint64_t *free_pages; /* numbers of pages to take before the arena's next */
	size_t free_count;
};

/* Starts an empty pool that takes pages from the arena, of tables in which processors write the bits `used`. Returns 0
 * or -ENOMEM. */
int tables_init(struct table_pool *pool, struct table_arena *arena, uint64_t used);

/* Frees what the pool holds; the tables stay in the arena. */
void tables_finish(struct table_pool *pool);

/* Makes room for as many tables as the arena has pages, once: from then on nothing is allocated, and there
 * may be sweeps. Returns 0 or -ENOMEM. */
int tables_reserve(struct table_pool *pool);

/*
 * Finds the table with this content or adds it. Returns 0, -ENOSPC if the
 * arena is full, or -ENOMEM. ret_new tells whether a page was taken.
 */
int tables_intern(struct table_pool *pool,
		  const uint64_t content[PAGING_ENTRIES], gpa_t *ret_table,
		  bool *ret_new);

/*
 * Takes a page for a table that is the caller's own: nobody finds it by its
 * content, and it may be written. Returns 0 or -ENOSPC.
 */
int tables_take(struct table_pool *pool, const uint64_t content[PAGING_ENTRIES],
		gpa_t *ret_table);

/* Where a table is; NULL if the address is no table of the pool's arena. */
uint64_t *tables_at(const struct table_pool *pool, gpa_t table);

/*
 * Gives back every table found by content whose page is not marked; marks has
 * one byte for each page of the arena.
 */
void tables_sweep(struct table_pool *pool, const uint8_t *marks);

#endif
