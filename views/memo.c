/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/memo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

struct memo_slot {
	uint64_t start;
	struct mapping mapping;
	unsigned level; /* 0: empty */
	struct subtree subtree;
};

static uint64_t hash_key(unsigned level, uint64_t start, struct mapping mapping)
{
	uint64_t hash = start ^ (uint64_t)level << 8 ^ mapping.rights;

	hash *= UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 32 ^ mapping.offset) *
	       UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* The slot with the key, or the empty one where it belongs. */
static struct memo_slot *find_slot(const struct memo *memo, unsigned level,
				   uint64_t start, struct mapping mapping)
{
	size_t i = (size_t)hash_key(level, start, mapping) &
		   (memo->capacity - 1);

	for (;; i = (i + 1) & (memo->capacity - 1)) {
		struct memo_slot *slot = &memo->slots[i];

		if (slot->level == 0 ||
		    (slot->level == level && slot->start == start &&
		     mapping_equal(slot->mapping, mapping)))
			return slot;
	}
}

bool memo_find(const struct memo *memo, unsigned level, uint64_t start,
	       struct mapping mapping, struct subtree *ret_subtree)
{
	const struct memo_slot *slot;

	if (memo->count == 0)
		return false;
	slot = find_slot(memo, level, start, mapping);
	if (slot->level == 0)
		return false;
	*ret_subtree = slot->subtree;
	return true;
}

static int resize(struct memo *memo, size_t capacity)
{
	struct memo grown = *memo;

	grown.capacity = capacity;
	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < memo->capacity; i++) {
		const struct memo_slot *slot = &memo->slots[i];

		if (slot->level != 0)
			*find_slot(&grown, slot->level, slot->start,
				   slot->mapping) = *slot;
	}
	free(memo->slots);
	*memo = grown;
	return 0;
}

static int make_room(struct memo *memo)
{
	if (memo->count < memo->capacity / 4 * 3)
		return 0;
	if (memo->fixed) {
		memo_forget(memo);
		return 0;
	}
	return resize(memo, memo->capacity ? memo->capacity * 2 : FIRST_CAPACITY);
}

int memo_fix(struct memo *memo, size_t capacity)
{
	const int error = memo->capacity < capacity ? resize(memo, capacity) : 0;

	memo->fixed = !error;
	return error;
}

void memo_forget(struct memo *memo)
{
	if (memo->slots)
		memset(memo->slots, 0, memo->capacity * sizeof(*memo->slots));
	memo->count = 0;
}

int memo_add(struct memo *memo, unsigned level, uint64_t start,
	     struct mapping mapping, struct subtree subtree)
{
	const int error = make_room(memo);

	if (error)
		return error;
	*find_slot(memo, level, start, mapping) = (struct memo_slot){
		.start = start,
		.mapping = mapping,
		.level = level,
		.subtree = subtree,
	};
	memo->count++;
	return 0;
}

void memo_finish(struct memo *memo)
{
	free(memo->slots);
	*memo = (struct memo){ 0 };
}
