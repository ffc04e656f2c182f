/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/keyset.h"

#include <errno.h>
#include <stdlib.h>

#define CAPACITY_MIN 64
#define CAPACITY_MAX (UINT32_C(1) << 31)

/* Half of the slots stay free. */
static size_t slot_count(const struct keyset *set)
{
	return 2 * set->capacity;
}

/* The finalizer of SplitMix64: every bit of the key changes half of the result's. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

/* The slot that holds the key, or the free one where it belongs. There is always a free one. */
static size_t slot_of(const struct keyset *set, struct key key)
{
	size_t mask = slot_count(set) - 1;
	size_t slot = mix(key.value ^ mix(key.kind + 1)) & mask;

	while (set->slots[slot] != 0) {
		const struct key *other = &set->keys[set->slots[slot] - 1];

		if (other->value == key.value && other->kind == key.kind)
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

static int resize(struct keyset *set, size_t capacity)
{
	struct key *keys;
	uint32_t *slots;

	if (capacity > CAPACITY_MAX)
		return -E2BIG;
	keys = realloc(set->keys, capacity * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	set->keys = keys;
	slots = calloc(2 * capacity, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(set->slots);
	set->slots = slots;
	set->capacity = capacity;
	for (size_t i = 0; i < set->count; i++)
		slots[slot_of(set, keys[i])] = (uint32_t)i + 1;
	return 0;
}

static int grow(struct keyset *set)
{
	return resize(set, set->capacity ? 2 * set->capacity : CAPACITY_MIN);
}

int keyset_reserve(struct keyset *set, size_t count)
{
	size_t capacity = CAPACITY_MIN;

	while (capacity < count && capacity < CAPACITY_MAX)
		capacity *= 2;
	return capacity > set->capacity ? resize(set, capacity) : 0;
}

int64_t keyset_find(const struct keyset *set, struct key key)
{
	uint32_t number = set->capacity ? set->slots[slot_of(set, key)] : 0;

	return number ? (int64_t)number - 1 : -ENOENT;
}

int64_t keyset_add(struct keyset *set, struct key key)
{
	int64_t number = keyset_find(set, key);
	int rc;

	if (number >= 0)
		return number;
	if (set->count == set->capacity) {
		rc = grow(set);
		if (rc != 0)
			return rc;
	}
	set->keys[set->count++] = key;
	set->slots[slot_of(set, key)] = (uint32_t)set->count;
	return (int64_t)set->count - 1;
}

void keyset_finish(struct keyset *set)
{
	free(set->keys);
	free(set->slots);
	*set = (struct keyset){0};
}
