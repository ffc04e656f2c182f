/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers given out to keys in the order in which they first appear. */
#ifndef VMM_BASE_KEYSET_H
#define VMM_BASE_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key {
	uint64_t value;
	uint64_t kind; /* keys that differ in it only are different ones */
};

/* Zeroed, it is empty. */
struct keyset {
	struct key *keys; /* by number */
	uint32_t *slots;  /* number + 1; 0: free */
	size_t count, capacity;
};

/* The key's number, or -ENOENT. */
int64_t keyset_find(const struct keyset *set, struct key key);

/* The key's number, which it gets if it has none; -ENOMEM or, past 2^31 keys, -E2BIG. */
int64_t keyset_add(struct keyset *set, struct key key);

/* Makes room for so many keys: until there are more, adding allocates nothing. Returns 0, -ENOMEM or -E2BIG. */
int keyset_reserve(struct keyset *set, size_t count);

void keyset_finish(struct keyset *set);

#endif
