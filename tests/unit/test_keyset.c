/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/keyset.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("keyset", tests, NULL, NULL);
}
