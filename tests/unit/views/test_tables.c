/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>

/* The source, for its hash: collisions have to be made on purpose. */
#include "views/tables.c"

#include "memo.h"

#define PAGE UINT64_C(4096)
#define TABLES 3000

static struct table_arena arena;
#define USED (UINT64_C(3) << 60)

static struct table_pool pool;

static int setup(void **state)
{
	(void)state;
	arena = (struct table_arena){
		.base = gpa_at(UINT64_C(1) << 32),
		.host = malloc(TABLES * PAGE),
		.size = TABLES * PAGE,
	};
	return !arena.host || tables_init(&pool, &arena, USED) != 0;
}

static int teardown(void **state)
{
	(void)state;
	tables_finish(&pool);
	free(arena.host);
	return 0;
}

static uint64_t intern(const uint64_t *content, bool expect_new)
{
	gpa_t table;
	bool is_new;

	assert_int_equal(tables_intern(&pool, content, &table, &is_new), 0);
	assert_int_equal(is_new, expect_new);
	assert_memory_equal((char *)arena.host + (table.v - arena.base.v),
			    content, PAGE);
	return table.v;
}

/* Far more than the first slots, so that the pool grows several times. */
static void found_again_after_growth(void **state)
{
	uint64_t content[PAGING_ENTRIES] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < TABLES; i++) {
		content[i % PAGING_ENTRIES] = i;
		assert_int_equal(intern(content, true), arena.base.v + i * PAGE);
	}
	memset(content, 0, sizeof(content));
	for (uint64_t i = 0; i < TABLES; i++) {
		content[i % PAGING_ENTRIES] = i;
		assert_int_equal(intern(content, false),
				 arena.base.v + i * PAGE);
	}
	assert_int_equal(arena.used, arena.size);
}

static void marks_of_processors_do_not_count(void **state)
{
	uint64_t content[PAGING_ENTRIES] = { [3] = 0x1007 };
	uint64_t *table = (uint64_t *)arena.host;
	gpa_t found;
	bool is_new;

	(void)state;
	intern(content, true);
	for (unsigned i = 0; i < 2; i++) {
		table[3] |= UINT64_C(1) << (60 + i);
		assert_int_equal(tables_intern(&pool, content, &found, &is_new), 0);
		assert_false(is_new);
		assert_int_equal(found.v, arena.base.v);
	}
	content[3] |= USED;
	intern(content, false);
	content[3] |= UINT64_C(1) << 59;
	intern(content, true);
}

/*
 * Two tables with one hash are two tables. A chain of the hash takes every
 * fourth word, so the next word of the chain can undo a change.
 */
static void collision(void **state)
{
	uint64_t first[PAGING_ENTRIES] = { 0 };
	uint64_t second[PAGING_ENTRIES] = { 0 };
	uint64_t at_first;
	uint64_t at_second;

	(void)state;
	first[0] = 0x1007;
	second[0] = 0x2007;
	second[4] = mix(1, first[0]) ^ mix(1, second[0]);
	assert_int_equal(hash_table(first, USED), hash_table(second, USED));
	at_first = intern(first, true);
	at_second = intern(second, true);
	assert_int_not_equal(at_first, at_second);
	assert_int_equal(intern(first, false), at_first);
	assert_int_equal(intern(second, false), at_second);
}

static void full_arena_still_finds(void **state)
{
	uint64_t content[PAGING_ENTRIES] = { 7 };
	gpa_t table = { 1 };
	bool is_new;

	(void)state;
	arena.size = PAGE;
	intern(content, true);
	intern(content, false);
	content[511] = 7;
	assert_int_equal(tables_intern(&pool, content, &table, &is_new),
			 -ENOSPC);
	assert_int_equal(table.v, 1);
	assert_int_equal(tables_take(&pool, content, &table), -ENOSPC);
	assert_int_equal(table.v, 1);
	content[511] = 0;
	intern(content, false);
}

static struct subtree subtree_of(unsigned i)
{
	return (struct subtree){ gpa_at(i * PAGE), i + 1 };
}

/* A memo that may not grow forgets, and what it still knows is right. */
static void memo_that_forgets(void **state)
{
	struct memo memo = { 0 };
	struct subtree found;
	const void *slots;
	unsigned known = 0;

	(void)state;
	memo_forget(&memo); /* nothing */
	assert_int_equal(memo_fix(&memo, 64), 0);
	slots = memo.slots;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(memo_add(&memo, 1, i, (struct mapping){ 0 }, subtree_of(i)), 0);
		assert_true(memo_find(&memo, 1, i, (struct mapping){ 0 }, &found));
		assert_int_equal(found.tables, i + 1);
	}
	assert_ptr_equal(memo.slots, slots);
	for (unsigned i = 0; i < 1000; i++) {
		if (!memo_find(&memo, 1, i, (struct mapping){ 0 }, &found))
			continue;
		assert_int_equal(found.tables, i + 1);
		known++;
	}
	assert_in_range(known, 1, 48);
	memo_forget(&memo);
	assert_false(memo_find(&memo, 1, 999, (struct mapping){ 0 }, &found));
	memo_finish(&memo);
}

/* One that has more room than it is given keeps that, and what it knows. */
static void memo_with_room(void **state)
{
	struct memo memo = { 0 };
	struct subtree found;
	size_t capacity;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(memo_add(&memo, 1, i, (struct mapping){ 0 }, subtree_of(i)), 0);
	capacity = memo.capacity;
	assert_int_equal(memo_fix(&memo, 64), 0);
	assert_int_equal(memo.capacity, capacity);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(memo_find(&memo, 1, i, (struct mapping){ 0 }, &found));
	memo_finish(&memo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_again_after_growth, setup,
						teardown),
		cmocka_unit_test_setup_teardown(marks_of_processors_do_not_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(collision, setup, teardown),
		cmocka_unit_test(memo_that_forgets),
		cmocka_unit_test(memo_with_room),
		cmocka_unit_test_setup_teardown(full_arena_still_finds, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
