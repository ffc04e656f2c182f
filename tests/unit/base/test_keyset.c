/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/base/keyset.h"

static struct key key(uint64_t i)
{
	/* Close together, far apart, and equal but for the kind. */
	return (struct key){i % 3 == 0 ? i / 6 : i / 6 << 40, i % 6};
}

static void numbers(void **state)
{
	enum { KEYS = 100000 };
	struct keyset set = {0};

	(void)state;
	assert_int_equal(keyset_find(&set, key(0)), -ENOENT);
	for (int64_t i = 0; i < KEYS; i++)
		assert_int_equal(keyset_add(&set, key((uint64_t)i)), i);
	for (int64_t i = KEYS; i-- > 0;) {
		assert_int_equal(keyset_find(&set, key((uint64_t)i)), i);
		assert_int_equal(keyset_add(&set, key((uint64_t)i)), i);
	}
	assert_int_equal(set.count, KEYS);
	assert_true(set.capacity >= set.count);
	assert_int_equal(keyset_find(&set, key(KEYS)), -ENOENT);
	keyset_finish(&set);
	assert_int_equal(set.count, 0);
	keyset_finish(&set);
}

/* What was made room for needs no more memory. */
static void reserved(void **state)
{
	struct keyset set = {0};
	const struct key *keys;
	const uint32_t *slots;

	(void)state;
	assert_int_equal(keyset_add(&set, key(7)), 0);
	assert_int_equal(keyset_reserve(&set, 1000), 0);
	keys = set.keys;
	slots = set.slots;
	for (int64_t i = 1; i < 1000; i++)
		assert_int_equal(keyset_add(&set, key((uint64_t)i + 7)), i);
	assert_ptr_equal(set.keys, keys);
	assert_ptr_equal(set.slots, slots);
	assert_int_equal(keyset_find(&set, key(7)), 0);
	assert_int_equal(keyset_reserve(&set, 10), 0);
	assert_ptr_equal(set.keys, keys);
	keyset_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(reserved),
	};

	return cmocka_run_group_tests_name("keyset", tests, NULL, NULL);
}
