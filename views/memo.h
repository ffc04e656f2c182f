/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_MEMO_H
#define VIEWS_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/gpa.h"

/*
 * How a view maps an address: to address + offset (modulo 2^64) with these
 * rights; what they forbid is #VE or exits. Without rights nothing is mapped
 * and the offset is 0, so that equal mappings have equal members.
 */
struct mapping {
	uint64_t offset;
	unsigned rights;
	bool ve;
};

static inline bool mapping_equal(struct mapping a, struct mapping b)
{
	return a.offset == b.offset && a.rights == b.rights && a.ve == b.ve;
}

/* The table of a range and how many tables it leads to, itself included. */
struct subtree {
	gpa_t table;
	uint64_t tables; /* 0: nothing is mapped and there is no table */
};

struct memo_slot;

/*
 * Remembers the sub-trees of ranges that one mapping covers, which no view
 * needs to build again. All zero is an empty memo.
 */
struct memo {
	struct memo_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
	bool fixed; /* forgets rather than grows */
};

/* The key is the level of the entries, the first address and the mapping. */
bool memo_find(const struct memo *memo, unsigned level, uint64_t start,
	       struct mapping mapping, struct subtree *ret_subtree);

/* Adds a key that memo_find() did not find. Returns 0 or -ENOMEM. */
int memo_add(struct memo *memo, unsigned level, uint64_t start,
	     struct mapping mapping, struct subtree subtree);

/* From now on the memo has room for three quarters of the capacity, a power of two, or for what it had if that
 * is more; when it is full it forgets everything, which is only work lost. Adding then allocates nothing.
 * Returns 0 or -ENOMEM. */
int memo_fix(struct memo *memo, size_t capacity);

void memo_forget(struct memo *memo);

void memo_finish(struct memo *memo);

#endif
