/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

/* Page of the arena plus one; 0 marks an empty slot. */
struct table_slot {
	uint64_t hash;
	uint64_t page;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/*
 * Four independent chains keep the multiplier busy. Quality matters only for
 * speed: equal hashes are confirmed by comparing the tables.
 */
static uint64_t hash_table(const uint64_t content[PAGING_ENTRIES], uint64_t used)
{
	uint64_t a = 1, b = 2, c = 3, d = 4;

	for (size_t i = 0; i < PAGING_ENTRIES; i += 4) {
		a = mix(a, content[i] & ~used);
		b = mix(b, content[i + 1] & ~used);
		c = mix(c, content[i + 2] & ~used);
		d = mix(d, content[i + 3] & ~used);
	}
	return mix(mix(mix(a, b), c), d);
}

static void *page_at(const struct table_pool *pool, uint64_t page)
{
	return (char *)pool->arena->host + page * GPA_PAGE_SIZE;
}

static bool is_equal(const uint64_t *table, const uint64_t *content, uint64_t used)
{
	for (size_t i = 0; i < PAGING_ENTRIES; i++)
		if ((table[i] ^ content[i]) & ~used)
			return false;
	return true;
}

/* The slot that holds the content, or the empty one where it belongs. */
static struct table_slot *find_slot(const struct table_pool *pool,
				    uint64_t hash, const uint64_t *content)
{
	size_t i = (size_t)hash & (pool->capacity - 1);

	for (;; i = (i + 1) & (pool->capacity - 1)) {
		struct table_slot *slot = &pool->slots[i];

		if (slot->page == 0)
			return slot;
		if (content && slot->hash == hash &&
		    is_equal(page_at(pool, slot->page - 1), content, pool->used))
			return slot;
	}
}

static int resize(struct table_pool *pool, size_t capacity)
{
	struct table_pool grown = *pool;

	grown.capacity = capacity;
	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < pool->capacity; i++) {
		if (pool->slots[i].page != 0)
			*find_slot(&grown, pool->slots[i].hash, NULL) =
				pool->slots[i];
	}
	free(pool->slots);
	*pool = grown;
	return 0;
}

/* At least a quarter of the slots stays empty, so that searches end soon. */
static bool has_room(size_t capacity, size_t count)
{
	return count < capacity / 4 * 3;
}

static int make_room(struct table_pool *pool)
{
	return has_room(pool->capacity, pool->count) ? 0 : resize(pool, pool->capacity * 2);
}

int tables_reserve(struct table_pool *pool)
{
	const size_t pages = pool->arena->size / GPA_PAGE_SIZE;
	size_t capacity = pool->capacity;
	int error;

	while (!has_room(capacity, pages))
		capacity *= 2;
	error = resize(pool, capacity);
	if (error)
		return error;
	/* What a sweep needs: slots to move to, and as many pages as could ever be free. */
	pool->spare = calloc(capacity, sizeof(*pool->spare));
	pool->free_pages = malloc(pages * sizeof(*pool->free_pages));
	return pool->spare && pool->free_pages ? 0 : -ENOMEM;
}

int tables_init(struct table_pool *pool, struct table_arena *arena, uint64_t used)
{
	struct table_slot *slots = calloc(FIRST_CAPACITY, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	*pool = (struct table_pool){
		.arena = arena,
		.used = used,
		.slots = slots,
		.capacity = FIRST_CAPACITY,
	};
	return 0;
}

void tables_finish(struct table_pool *pool)
{
	free(pool->slots);
	free(pool->spare);
	free(pool->free_pages);
	*pool = (struct table_pool){ 0 };
}

/* The number of a page that nothing uses. */
static int take_page(struct table_pool *pool, uint64_t *ret_page)
{
	struct table_arena *arena = pool->arena;

	if (pool->free_count > 0) {
		*ret_page = pool->free_pages[--pool->free_count];
		return 0;
	}
	if (arena->size - arena->used < GPA_PAGE_SIZE)
		return -ENOSPC;
	*ret_page = arena->used / GPA_PAGE_SIZE;
	arena->used += GPA_PAGE_SIZE;
	return 0;
}

int tables_intern(struct table_pool *pool,
		  const uint64_t content[PAGING_ENTRIES], gpa_t *ret_table,
		  bool *ret_new)
{
	const uint64_t hash = hash_table(content, pool->used);
	struct table_slot *slot;
	bool is_new;
	int error = make_room(pool);

	if (error)
		return error;
	slot = find_slot(pool, hash, content);
	is_new = slot->page == 0;
	if (is_new) {
		uint64_t page;

		error = take_page(pool, &page);
		if (error)
			return error;
		memcpy(page_at(pool, page), content, GPA_PAGE_SIZE);
		slot->hash = hash;
		slot->page = page + 1;
		pool->count++;
	}
	*ret_table = gpa_add(pool->arena->base, (slot->page - 1) * GPA_PAGE_SIZE);
	*ret_new = is_new;
	return 0;
}

int tables_take(struct table_pool *pool, const uint64_t content[PAGING_ENTRIES],
		gpa_t *ret_table)
{
	uint64_t page;
	const int error = take_page(pool, &page);

	if (error)
		return error;
	memcpy(page_at(pool, page), content, GPA_PAGE_SIZE);
	*ret_table = gpa_add(pool->arena->base, page * GPA_PAGE_SIZE);
	return 0;
}

uint64_t *tables_at(const struct table_pool *pool, gpa_t table)
{
	const struct table_arena *arena = pool->arena;

	if (table.v < arena->base.v || table.v - arena->base.v >= arena->used)
		return NULL;
	return (uint64_t *)page_at(pool, (table.v - arena->base.v) / GPA_PAGE_SIZE);
}

void tables_sweep(struct table_pool *pool, const uint8_t *marks)
{
	struct table_pool swept = *pool;

	memset(pool->spare, 0, pool->capacity * sizeof(*pool->spare));
	swept.slots = pool->spare;
	swept.spare = pool->slots;
	for (size_t i = 0; i < pool->capacity; i++) {
		const struct table_slot *slot = &pool->slots[i];

		if (slot->page == 0)
			continue;
		if (marks[slot->page - 1]) {
			*find_slot(&swept, slot->hash, NULL) = *slot;
		} else {
			swept.free_pages[swept.free_count++] = slot->page - 1;
			swept.count--;
		}
	}
	*pool = swept;
}
