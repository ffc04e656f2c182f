/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>

#include "extent.h"

#define PAGE UINT64_C(4096)
#define KEEP UINT64_MAX /* no remap */

struct row {
	uint64_t page;
	uint64_t pages;
	unsigned rights;
	uint64_t target; /* page */
};

struct wanted {
	uint64_t start; /* page */
	uint64_t end;
	unsigned rights;
	uint64_t offset; /* pages */
};

static void expect(unsigned fallback, const struct row *rows, size_t row_count,
		   const struct wanted *wanted, size_t wanted_count)
{
	struct view_policy policy = { 0 };
	struct extent_list extents = { 0 };
	char name[16];

	assert_int_equal(policy_add_view(&policy, "view", fallback, NULL), 0);
	for (uint32_t i = 0; i < row_count; i++) {
		snprintf(name, sizeof(name), "r%u", (unsigned)i);
		assert_int_equal(policy_add_region(&policy, name,
						   gpa_at(rows[i].page * PAGE),
						   rows[i].pages * PAGE, NULL), 0);
		assert_int_equal(policy_set_rights(&policy, 0, i,
						   rows[i].rights), 0);
		if (rows[i].target != KEEP)
			assert_int_equal(
				policy_set_remap(&policy, 0, i,
						 gpa_at(rows[i].target * PAGE)), 0);
	}
	/* Twice: the second replaces the first. */
	for (unsigned run = 0; run < 2; run++) {
		assert_int_equal(extents_collect(&extents, &policy,
						 &policy.views[0]), 0);
		assert_int_equal(extents.count, wanted_count);
		for (size_t i = 0; i < wanted_count; i++) {
			const struct extent *extent = &extents.list[i];

			assert_int_equal(extent->start, wanted[i].start * PAGE);
			assert_int_equal(extent->end, wanted[i].end * PAGE);
			assert_int_equal(extent->mapping.rights,
					 wanted[i].rights);
			assert_int_equal(extent->mapping.offset,
					 wanted[i].offset * PAGE);
		}
	}
	extents_finish(&extents);
	policy_finish(&policy);
}

static void none(void **state)
{
	/* Rules that repeat the default: by rights, by remap to itself. */
	static const struct row rows[] = { { 5, 1, 3, KEEP }, { 7, 2, 3, 7 } };

	(void)state;
	expect(3, NULL, 0, NULL, 0);
	expect(3, rows, ARRAY_SIZE(rows), NULL, 0);
}

static void sorted_and_joined(void **state)
{
	static const struct row rows[] = {
		{ 20, 2, 1, KEEP }, { 10, 1, 1, KEEP }, { 12, 1, 1, KEEP },
		{ 11, 1, 1, KEEP }, { 13, 1, 5, KEEP }, { 22, 1, 1, KEEP },
		{ 15, 1, 7, KEEP },
	};
	static const struct wanted wanted[] = {
		{ 10, 13, 1, 0 }, { 13, 14, 5, 0 }, { 20, 23, 1, 0 },
	};

	(void)state;
	expect(7, rows, ARRAY_SIZE(rows), wanted, ARRAY_SIZE(wanted));
}

static void remapped(void **state)
{
	static const struct row rows[] = {
		{ 10, 2, 7, 30 }, { 12, 1, 7, 32 }, /* one run */
		{ 13, 1, 7, 34 },                   /* another offset */
		{ 14, 1, 7, 2 },                    /* downwards */
	};
	static const struct wanted wanted[] = {
		{ 10, 13, 7, 20 },
		{ 13, 14, 7, 21 },
		{ 14, 15, 7, UINT64_C(0) - 12 },
	};

	(void)state;
	expect(7, rows, ARRAY_SIZE(rows), wanted, ARRAY_SIZE(wanted));
}

/* Where nothing is mapped, nothing is mapped elsewhere either. */
static void remapped_without_rights(void **state)
{
	static const struct row rows[] = { { 10, 1, 0, 30 }, { 11, 1, 0, KEEP } };
	static const struct wanted wanted[] = { { 10, 12, 0, 0 } };

	(void)state;
	expect(7, rows, ARRAY_SIZE(rows), wanted, ARRAY_SIZE(wanted));
	expect(0, rows, ARRAY_SIZE(rows), NULL, 0);
}

static void add(struct view_policy *policy, uint32_t index, unsigned rights, bool ve)
{
	char name[16];

	snprintf(name, sizeof(name), "r%u", (unsigned)index);
	assert_int_equal(policy_add_region(policy, name, gpa_at((10 + index) * PAGE), PAGE, NULL), 0);
	assert_int_equal(policy_set_rights(policy, 0, index, rights), 0);
	assert_int_equal(policy_set_ve(policy, 0, index, ve), 0);
}

/* Neighbours of which one exits and one does not, with rights or without, are two; what differs from the view only in
 * that differs. */
static void ve_apart(void **state)
{
	static const struct {
		unsigned rights;
		bool ve;
	} rows[] = { { 1, false }, { 1, true }, { 1, true }, { 0, true }, { 0, false }, { 3, true }, { 3, false } };
	/* In pages behind the first; of the last two one says what the view says. */
	static const struct {
		uint64_t start, end;
		unsigned rights;
		bool ve;
	} wanted[] = { { 0, 1, 1, false }, { 1, 3, 1, true }, { 3, 4, 0, true }, { 4, 5, 0, false }, { 5, 6, 3, true } };

	(void)state;
	for (int view_ve = 0; view_ve < 2; view_ve++) {
		struct view_policy policy = { 0 };
		struct extent_list extents = { 0 };

		assert_int_equal(policy_add_view(&policy, "view", 3, NULL), 0);
		policy.views[0].ve = view_ve;
		/* The other way round if the view is. */
		for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++)
			add(&policy, i, rows[i].rights, rows[i].ve != view_ve);
		assert_int_equal(extents_collect(&extents, &policy, &policy.views[0]), 0);
		assert_int_equal(extents.count, ARRAY_SIZE(wanted));
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
			assert_int_equal(extents.list[i].start, (10 + wanted[i].start) * PAGE);
			assert_int_equal(extents.list[i].end, (10 + wanted[i].end) * PAGE);
			assert_int_equal(extents.list[i].mapping.rights, wanted[i].rights);
			assert_int_equal(extents.list[i].mapping.ve, wanted[i].ve != view_ve);
		}
		extents_finish(&extents);
		policy_finish(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),
		cmocka_unit_test(sorted_and_joined),
		cmocka_unit_test(remapped),
		cmocka_unit_test(remapped_without_rights),
		cmocka_unit_test(ve_apart),
	};

	return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}
