/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define PAGE UINT64_C(0x1000)
#define MIB UINT64_C(0x100000)

/* 16 MiB at 0, 16 MiB that touch it, a hole, and 16 MiB at 64 MiB. */
static const struct gpa_range ranges[] = {
	{ { 0 }, 16 * MIB },
	{ { 16 * MIB }, 16 * MIB },
	{ { 64 * MIB }, 16 * MIB },
};

static const struct view_target plain = {
	.memory = { ranges, ARRAY_SIZE(ranges) },
	.format = &paging_formats[PAGING_EPT],
	.caps = { .maxphyaddr = 46 },
};

static uint32_t add_region(struct view_policy *policy, const char *name,
			   uint64_t start, uint64_t size)
{
	uint32_t index;

	assert_int_equal(policy_add_region(policy, name, gpa_at(start), size,
					   &index), 0);
	return index;
}

static uint32_t add_view(struct view_policy *policy, const char *name,
			 unsigned rights)
{
	uint32_t index;

	assert_int_equal(policy_add_view(policy, name, rights, &index), 0);
	return index;
}

/* Expects a refusal for this reason, frees the policy, returns the error. */
static struct policy_error refuse(struct view_policy *policy,
				  const struct view_target *target,
				  enum policy_error_kind kind)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
	const int result = policy_validate(policy, target, &error);

	assert_int_equal(error.kind, kind);
	assert_int_equal(result, -policy_error_number(kind));
	assert_true(result < 0);
	assert_int_equal(policy_validate(policy, target, NULL), result);
	policy_finish(policy);
	return error;
}

static void accept(struct view_policy *policy, const struct view_target *target)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);

	assert_int_equal(policy_validate(policy, target, &error), 0);
	assert_int_equal(error.kind, POLICY_ERROR_INVALID);
	policy_finish(policy);
}

static void view_count(void **state)
{
	struct view_policy policy = { 0 };
	char name[16];

	(void)state;
	refuse(&policy, &plain, POLICY_ERROR_NO_VIEWS);
	for (unsigned count = 511; count <= 513; count++) {
		for (unsigned i = 0; i < count; i++) {
			snprintf(name, sizeof(name), "v%u", i);
			add_view(&policy, name, VIEW_RIGHTS_ALL);
		}
		if (count <= 512)
			accept(&policy, &plain);
		else
			refuse(&policy, &plain, POLICY_ERROR_TOO_MANY_VIEWS);
	}
}

static void region_faults(void **state)
{
	static const struct {
		uint64_t start;
		uint64_t size;
		enum policy_error_kind kind;
	} rows[] = {
		{ 0, PAGE, POLICY_ERROR_INVALID },
		{ 0, 0, POLICY_ERROR_REGION_EMPTY },
		{ 1, PAGE, POLICY_ERROR_REGION_UNALIGNED },
		{ 0x800, PAGE, POLICY_ERROR_REGION_UNALIGNED },
		{ 0, PAGE + 1, POLICY_ERROR_REGION_UNALIGNED },
		{ 0, 1, POLICY_ERROR_REGION_UNALIGNED },
		{ UINT64_C(0) - PAGE, 2 * PAGE, POLICY_ERROR_REGION_WRAPS },
		{ PAGE, UINT64_C(0) - PAGE, POLICY_ERROR_REGION_OUTSIDE },
		{ 2 * PAGE, UINT64_C(0) - PAGE, POLICY_ERROR_REGION_WRAPS },
		{ UINT64_C(0) - PAGE, PAGE, POLICY_ERROR_REGION_OUTSIDE },
		/* Across two ranges that touch, and a page too far. */
		{ 0, 32 * MIB, POLICY_ERROR_INVALID },
		{ 15 * MIB, 2 * MIB, POLICY_ERROR_INVALID },
		{ 0, 32 * MIB + PAGE, POLICY_ERROR_REGION_OUTSIDE },
		{ 32 * MIB, PAGE, POLICY_ERROR_REGION_OUTSIDE },
		{ 32 * MIB - PAGE, PAGE, POLICY_ERROR_INVALID },
		{ 64 * MIB - PAGE, 2 * PAGE, POLICY_ERROR_REGION_OUTSIDE },
		{ 64 * MIB, 16 * MIB, POLICY_ERROR_INVALID },
		{ 80 * MIB - PAGE, PAGE, POLICY_ERROR_INVALID },
		{ 80 * MIB - PAGE, 2 * PAGE, POLICY_ERROR_REGION_OUTSIDE },
		{ 0, 80 * MIB, POLICY_ERROR_REGION_OUTSIDE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct view_policy policy = { 0 };
		struct policy_error error;

		add_view(&policy, "view", VIEW_RIGHTS_ALL);
		/* A sound one first, so that the index is told apart. */
		if (rows[i].kind != POLICY_ERROR_INVALID)
			add_region(&policy, "sound", 70 * MIB, PAGE);
		add_region(&policy, "region", rows[i].start, rows[i].size);
		if (rows[i].kind == POLICY_ERROR_INVALID) {
			accept(&policy, &plain);
			continue;
		}
		error = refuse(&policy, &plain, rows[i].kind);
		assert_int_equal(error.region, 1);
		assert_int_equal(error.view, POLICY_NO_INDEX);
		assert_int_equal(error.gpa.v, rows[i].start);
	}
}

/* All placements of two small regions on a few pages. */
static void overlap(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 8 * 4 * 8 * 4; run++) {
		const uint64_t a = run % 8, a_size = 1 + run / 8 % 4;
		const uint64_t b = run / 32 % 8, b_size = 1 + run / 256;
		struct view_policy policy = { 0 };
		struct policy_error error;

		add_view(&policy, "view", VIEW_RIGHTS_ALL);
		add_region(&policy, "far", 20 * PAGE, PAGE);
		add_region(&policy, "a", a * PAGE, a_size * PAGE);
		add_region(&policy, "b", b * PAGE, b_size * PAGE);
		if (a + a_size <= b || b + b_size <= a) {
			accept(&policy, &plain);
			continue;
		}
		error = refuse(&policy, &plain, POLICY_ERROR_REGION_OVERLAP);
		assert_int_equal(error.region, 2);
		assert_int_equal(error.other_region, 1);
		assert_int_equal(error.gpa.v, (a > b ? a : b) * PAGE);
	}
}

static void names(void **state)
{
	struct view_policy policy = { 0 };
	struct policy_error error;
	char long_name[VIEW_NAME_SIZE + 1];
	uint32_t index = 77;

	(void)state;
	memset(long_name, 'x', VIEW_NAME_SIZE);
	long_name[VIEW_NAME_SIZE] = '\0';
	assert_int_equal(policy_add_view(&policy, "", 0, &index), -EINVAL);
	assert_int_equal(policy_add_view(&policy, long_name, 0, &index),
			 -ENAMETOOLONG);
	assert_int_equal(policy_add_region(&policy, "", gpa_at(0), PAGE, &index),
			 -EINVAL);
	assert_int_equal(policy_add_region(&policy, long_name, gpa_at(0), PAGE,
					   &index), -ENAMETOOLONG);
	assert_int_equal(index, 77);
	long_name[VIEW_NAME_SIZE - 1] = '\0';
	assert_int_equal(add_view(&policy, long_name, 0), 0);
	assert_int_equal(add_region(&policy, long_name, 0, PAGE), 0);
	assert_string_equal(policy.views[0].name, long_name);
	assert_int_equal(add_region(&policy, "other", PAGE, PAGE), 1);
	assert_int_equal(policy_find_region(&policy, "other", &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(policy_find_region(&policy, "", &index), -ENOENT);
	accept(&policy, &plain);

	add_view(&policy, "a", 0);
	add_view(&policy, "b", 0);
	add_view(&policy, "a", 0);
	error = refuse(&policy, &plain, POLICY_ERROR_VIEW_NAME_TWICE);
	assert_int_equal(error.view, 2);
	assert_int_equal(error.other_view, 0);

	add_view(&policy, "a", 0);
	add_region(&policy, "r", 0, PAGE);
	add_region(&policy, "q", PAGE, PAGE);
	add_region(&policy, "q", 2 * PAGE, PAGE);
	error = refuse(&policy, &plain, POLICY_ERROR_REGION_NAME_TWICE);
	assert_int_equal(error.region, 2);
	assert_int_equal(error.other_region, 1);
}

/* Rules stay in the order of the regions however they are set. */
static void rules(void **state)
{
	static const uint32_t order[] = { 5, 1, 7, 0, 3, 2, 6, 4, 3, 5 };
	struct view_policy policy = { 0 };
	struct policy_error error;
	char name[16];

	(void)state;
	add_view(&policy, "view", VIEW_READ);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		add_region(&policy, name, i * PAGE, PAGE);
	}
	assert_int_equal(policy_set_rights(&policy, 1, 0, 1), -ENOENT);
	assert_int_equal(policy_set_rights(&policy, 0, 8, 1), -ENOENT);
	assert_int_equal(policy_set_remap(&policy, 0, 8, gpa_at(0)), -ENOENT);
	assert_int_equal(policy.views[0].rule_count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(policy_set_rights(&policy, 0, order[i],
						   order[i] % 2 ? 3 : 5), 0);
	assert_int_equal(policy_set_remap(&policy, 0, 3, gpa_at(PAGE)), 0);
	assert_int_equal(policy.views[0].rule_count, 8);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(policy.views[0].rules[i].region, i);
		assert_int_equal(policy.views[0].rules[i].rights,
				 i % 2 ? 3 : 5);
		assert_int_equal(policy.views[0].rules[i].remapped, i == 3);
	}
	accept(&policy, &plain);

	/* A remap alone keeps the rights of the view. */
	add_view(&policy, "view", VIEW_READ);
	add_region(&policy, "r", 0, PAGE);
	assert_int_equal(policy_set_remap(&policy, 0, 0, gpa_at(PAGE)), 0);
	assert_int_equal(policy.views[0].rules[0].rights, VIEW_READ);
	/* What only a caller that fills in rules itself can do. */
	policy.views[0].rules[0].region = 1;
	error = refuse(&policy, &plain, POLICY_ERROR_RULE_UNKNOWN_REGION);
	assert_int_equal(error.view, 0);
	assert_int_equal(error.region, 1);

	add_view(&policy, "view", VIEW_READ);
	add_region(&policy, "r", 0, PAGE);
	add_region(&policy, "s", PAGE, PAGE);
	assert_int_equal(policy_set_rights(&policy, 0, 0, 0), 0);
	assert_int_equal(policy_set_rights(&policy, 0, 1, 0), 0);
	policy.views[0].rules[1].region = 0;
	error = refuse(&policy, &plain, POLICY_ERROR_RULE_TWICE);
	assert_int_equal(error.region, 0);
	policy_finish(NULL);
}

static void remap_faults(void **state)
{
	static const struct {
		uint64_t target;
		enum policy_error_kind kind;
	} rows[] = {
		{ 0, POLICY_ERROR_INVALID },
		{ 32 * MIB - 4 * PAGE, POLICY_ERROR_INVALID },
		{ 16 * MIB - 2 * PAGE, POLICY_ERROR_INVALID },
		{ 1, POLICY_ERROR_REMAP_UNALIGNED },
		{ 0x800, POLICY_ERROR_REMAP_UNALIGNED },
		{ 32 * MIB - 3 * PAGE, POLICY_ERROR_REMAP_OUTSIDE },
		{ 40 * MIB, POLICY_ERROR_REMAP_OUTSIDE },
		{ 80 * MIB, POLICY_ERROR_REMAP_OUTSIDE },
		{ UINT64_C(0) - PAGE, POLICY_ERROR_REMAP_OUTSIDE },
		{ UINT64_C(0) - 4 * PAGE, POLICY_ERROR_REMAP_OUTSIDE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct view_policy policy = { 0 };
		struct policy_error error;

		add_view(&policy, "first", VIEW_RIGHTS_ALL);
		add_view(&policy, "second", VIEW_RIGHTS_ALL);
		add_region(&policy, "r", 0, PAGE);
		add_region(&policy, "s", 8 * PAGE, 4 * PAGE);
		assert_int_equal(policy_set_remap(&policy, 1, 1,
						  gpa_at(rows[i].target)), 0);
		if (rows[i].kind == POLICY_ERROR_INVALID) {
			accept(&policy, &plain);
			continue;
		}
		error = refuse(&policy, &plain, rows[i].kind);
		assert_int_equal(error.view, 1);
		assert_int_equal(error.region, 1);
		assert_int_equal(error.gpa.v, rows[i].target);
	}
}

/* What the manuals allow: r 1, w 2, x 4. */
static enum policy_error_kind rights_kind(unsigned rights, bool npt,
					  bool exec_only)
{
	switch (rights) {
	case 0:
	case 1:
	case 3:
	case 5:
	case 7:
		return POLICY_ERROR_INVALID;
	case 2:
	case 6:
		return POLICY_ERROR_WRITE_WITHOUT_READ;
	case 4:
		return !npt && exec_only ? POLICY_ERROR_INVALID :
					   POLICY_ERROR_EXECUTE_ONLY;
	default:
		return POLICY_ERROR_RIGHTS_UNKNOWN;
	}
}

static void rights(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 2 * 2 * 32; run++) {
		const unsigned value = run % 16 | (run & 16 ? 0x80000000 : 0);
		const bool npt = run / 32 % 2;
		const bool exec_only = run / 64;
		const enum policy_error_kind kind =
			rights_kind(value, npt, exec_only);
		struct view_target target = plain;

		target.format = &paging_formats[npt ? PAGING_NPT : PAGING_EPT];
		target.caps.exec_only = exec_only;
		for (unsigned by_rule = 0; by_rule < 2; by_rule++) {
			struct view_policy policy = { 0 };
			struct policy_error error;

			add_view(&policy, "first", VIEW_RIGHTS_ALL);
			add_view(&policy, "second", by_rule ? 1 : value);
			add_region(&policy, "r", 0, PAGE);
			add_region(&policy, "s", 2 * PAGE, PAGE);
			if (by_rule)
				assert_int_equal(policy_set_rights(&policy, 1, 1,
								   value), 0);
			if (kind == POLICY_ERROR_INVALID) {
				accept(&policy, &target);
				continue;
			}
			error = refuse(&policy, &target, kind);
			assert_int_equal(error.view, 1);
			assert_int_equal(error.region,
					 by_rule ? 1 : POLICY_NO_INDEX);
			assert_int_equal(error.rights, value);
		}
	}
}

static void memory_faults(void **state)
{
	static const struct {
		struct gpa_range ranges[2];
		size_t count;
		unsigned width;
		enum policy_error_kind kind;
		uint32_t range;
	} rows[] = {
		{ { { { 0 }, 0 } }, 0, 40, POLICY_ERROR_MEMORY_EMPTY,
		  POLICY_NO_INDEX },
		{ { { { 0 }, 0 } }, 1, 40, POLICY_ERROR_MEMORY_EMPTY, 0 },
		{ { { { 0 }, PAGE }, { { PAGE }, 0 } }, 2, 40,
		  POLICY_ERROR_MEMORY_EMPTY, 1 },
		{ { { { 1 }, PAGE } }, 1, 40, POLICY_ERROR_MEMORY_UNALIGNED, 0 },
		{ { { { 0 }, 1 } }, 1, 40, POLICY_ERROR_MEMORY_UNALIGNED, 0 },
		{ { { { 0 }, 2 * PAGE }, { { PAGE }, PAGE } }, 2, 40,
		  POLICY_ERROR_MEMORY_UNORDERED, 1 },
		{ { { { PAGE }, PAGE }, { { 0 }, PAGE } }, 2, 40,
		  POLICY_ERROR_MEMORY_UNORDERED, 1 },
		{ { { { 0 }, PAGE }, { { PAGE }, PAGE } }, 2, 40,
		  POLICY_ERROR_INVALID, 0 },
		{ { { { 0 }, UINT64_C(1) << 32 } }, 1, 32, POLICY_ERROR_INVALID,
		  0 },
		{ { { { PAGE }, UINT64_C(1) << 32 } }, 1, 32,
		  POLICY_ERROR_MEMORY_TOO_WIDE, 0 },
		{ { { { UINT64_C(1) << 40 }, PAGE } }, 1, 40,
		  POLICY_ERROR_MEMORY_TOO_WIDE, 0 },
		{ { { { (UINT64_C(1) << 48) - PAGE }, PAGE } }, 1, 52,
		  POLICY_ERROR_INVALID, 0 },
		{ { { { (UINT64_C(1) << 48) - PAGE }, 2 * PAGE } }, 1, 52,
		  POLICY_ERROR_MEMORY_TOO_WIDE, 0 },
		{ { { { PAGE }, UINT64_C(0) - PAGE } }, 1, 52,
		  POLICY_ERROR_MEMORY_TOO_WIDE, 0 },
		{ { { { 0 }, PAGE } }, 1, 31, POLICY_ERROR_WIDTH_UNKNOWN,
		  POLICY_NO_INDEX },
		{ { { { 0 }, PAGE } }, 1, 53, POLICY_ERROR_WIDTH_UNKNOWN,
		  POLICY_NO_INDEX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct view_policy policy = { 0 };
		struct view_target target = plain;
		struct policy_error error;

		target.memory.ranges = rows[i].ranges;
		target.memory.count = rows[i].count;
		target.caps.maxphyaddr = (uint8_t)rows[i].width;
		add_view(&policy, "view", VIEW_RIGHTS_ALL);
		if (rows[i].kind == POLICY_ERROR_INVALID) {
			accept(&policy, &target);
			continue;
		}
		error = refuse(&policy, &target, rows[i].kind);
		assert_int_equal(error.range, rows[i].range);
	}
}

static void error_table(void **state)
{
	(void)state;
	for (int i = 1; i < POLICY_ERROR_COUNT; i++) {
		const enum policy_error_kind kind = (enum policy_error_kind)i;

		assert_true(policy_error_number(kind) > 0);
		assert_non_null(policy_error_key(kind));
		assert_non_null(policy_error_text(kind));
		for (int j = 1; j < i; j++)
			assert_string_not_equal(
				policy_error_key(kind),
				policy_error_key((enum policy_error_kind)j));
	}
	assert_int_equal(policy_error_number(POLICY_ERROR_INVALID), 0);
	assert_null(policy_error_key(POLICY_ERROR_INVALID));
	assert_null(policy_error_text(POLICY_ERROR_COUNT));
	assert_null(policy_error_key(POLICY_ERROR_COUNT));
	assert_int_equal(policy_error_number(POLICY_ERROR_COUNT), 0);
}

/* Indexes have 32 bits, of which the last means none. */
static void as_many_as_can_be_named(void **state)
{
	struct view_policy policy = { .region_count = POLICY_NO_INDEX,
				      .view_count = POLICY_NO_INDEX };
	uint32_t index = 7;

	(void)state;
	assert_int_equal(policy_add_region(&policy, "r", gpa_at(0), PAGE, &index), -ENOMEM);
	assert_int_equal(policy_add_view(&policy, "v", 0, &index), -ENOMEM);
	assert_int_equal(index, 7);
}

/* Memory slots: what can be read can be executed, and what cannot be read is not there. */
static void slots(void **state)
{
	static const enum policy_error_kind wanted[] = {
		[0] = POLICY_ERROR_INVALID,
		[VIEW_READ] = POLICY_ERROR_EXECUTE_WITHHELD,
		[VIEW_READ | VIEW_WRITE] = POLICY_ERROR_EXECUTE_WITHHELD,
		[VIEW_READ | VIEW_EXECUTE] = POLICY_ERROR_INVALID,
		[VIEW_RIGHTS_ALL] = POLICY_ERROR_INVALID,
	};

	(void)state;
	for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++) {
		const enum policy_error_kind kind = paging_slots.check_rights(rights, &plain.caps);

		if (rights == 0 || rights & VIEW_READ)
			assert_int_equal(kind, wanted[rights]);
		else
			assert_int_equal(kind, paging_formats[PAGING_NPT].check_rights(rights,
										       &plain.caps));
	}
}

/* Across ranges that touch, but not over a hole nor past the end of the address space, where a sum would
 * come back to memory. */
static void containment(void **state)
{
	(void)state;
	assert_true(layout_contains(&plain.memory, gpa_at(0), 32 * MIB));
	assert_false(layout_contains(&plain.memory, gpa_at(0), 32 * MIB + 1));
	assert_false(layout_contains(&plain.memory, gpa_at(0), UINT64_MAX));
	assert_false(layout_contains(&plain.memory, gpa_at(PAGE), UINT64_MAX - PAGE + 2));
	assert_false(layout_contains(&plain.memory, gpa_at(UINT64_MAX), 2));
	/* Neither the last byte nor nothing goes beyond. */
	assert_true(gpa_wraps(gpa_at(UINT64_MAX), 2));
	assert_false(gpa_wraps(gpa_at(UINT64_MAX), 1));
	assert_false(gpa_wraps(gpa_at(UINT64_MAX), 0));
}

struct fault_list {
	struct policy_error list[16];
	size_t count, wanted;
};

static bool take_fault(void *data, const struct policy_error *error)
{
	struct fault_list *faults = data;

	assert_true(faults->count < ARRAY_SIZE(faults->list));
	faults->list[faults->count++] = *error;
	return faults->count < faults->wanted;
}

/* All that is wrong, each once, and no more than is wanted. */
static void all_faults(void **state)
{
	static const struct {
		enum policy_error_kind kind;
		uint32_t view, region, other_region;
	} wanted[] = {
		{ POLICY_ERROR_VIEW_NAME_TWICE, 1, POLICY_NO_INDEX, POLICY_NO_INDEX },
		{ POLICY_ERROR_REGION_NAME_TWICE, POLICY_NO_INDEX, 1, 0 },
		{ POLICY_ERROR_REGION_UNALIGNED, POLICY_NO_INDEX, 2, POLICY_NO_INDEX },
		{ POLICY_ERROR_REGION_OUTSIDE, POLICY_NO_INDEX, 3, POLICY_NO_INDEX },
		{ POLICY_ERROR_REGION_OVERLAP, POLICY_NO_INDEX, 1, 0 },
		{ POLICY_ERROR_REGION_OVERLAP, POLICY_NO_INDEX, 4, 1 },
		{ POLICY_ERROR_WRITE_WITHOUT_READ, 0, POLICY_NO_INDEX, POLICY_NO_INDEX },
		{ POLICY_ERROR_EXECUTE_ONLY, 1, 0, POLICY_NO_INDEX },
		{ POLICY_ERROR_REMAP_UNALIGNED, 1, 1, POLICY_NO_INDEX },
	};
	struct view_policy policy = { 0 };

	(void)state;
	add_region(&policy, "a", 4 * PAGE, 2 * PAGE);
	add_region(&policy, "a", 5 * PAGE, 3 * PAGE);
	add_region(&policy, "b", 100 * PAGE + 1, PAGE);
	add_region(&policy, "c", 40 * MIB, PAGE);
	add_region(&policy, "d", 7 * PAGE, PAGE);
	add_view(&policy, "v", VIEW_WRITE);
	add_view(&policy, "v", VIEW_READ);
	policy_set_rights(&policy, 1, 0, VIEW_EXECUTE);
	policy_set_remap(&policy, 1, 1, gpa_at(1));
	for (size_t limit = 1; limit <= ARRAY_SIZE(wanted) + 1; limit++) {
		struct fault_list faults = { .wanted = limit };
		const size_t count = limit > ARRAY_SIZE(wanted) ?
					     ARRAY_SIZE(wanted) :
					     limit;

		assert_int_equal(policy_check(&policy, &plain, take_fault,
					      &faults), count);
		assert_int_equal(faults.count, count);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(faults.list[i].kind, wanted[i].kind);
			assert_int_equal(faults.list[i].view, wanted[i].view);
			assert_int_equal(faults.list[i].region, wanted[i].region);
			assert_int_equal(faults.list[i].other_region,
					 wanted[i].other_region);
		}
	}
	policy_finish(&policy);
}

/* Equal at first, and then on its own. */
static void copy(void **state)
{
	struct view_policy policy = { 0 };
	struct view_policy copied;

	(void)state;
	assert_int_equal(policy_copy(&policy, &copied), 0);
	assert_int_equal(copied.view_count, 0);
	policy_finish(&copied);
	add_region(&policy, "one", 0, PAGE);
	add_region(&policy, "two", PAGE, 3 * PAGE);
	add_view(&policy, "plain", VIEW_RIGHTS_ALL);
	add_view(&policy, "ruled", VIEW_READ);
	assert_int_equal(policy_set_rights(&policy, 1, 1, VIEW_RIGHTS_ALL), 0);
	assert_int_equal(policy_set_remap(&policy, 1, 1, gpa_at(MIB)), 0);
	assert_int_equal(policy_copy(&policy, &copied), 0);
	assert_int_equal(copied.region_count, 2);
	assert_memory_equal(copied.regions, policy.regions, 2 * sizeof(*policy.regions));
	assert_int_equal(copied.view_count, 2);
	assert_int_equal(copied.views[0].rule_count, 0);
	assert_string_equal(copied.views[1].name, "ruled");
	assert_int_equal(copied.views[1].rule_count, 1);
	assert_memory_equal(copied.views[1].rules, policy.views[1].rules,
			    sizeof(*policy.views[1].rules));
	/* Each grows without the other. */
	assert_int_equal(policy_set_rights(&copied, 0, 0, 0), 0);
	assert_int_equal(policy_set_rights(&copied, 1, 0, 0), 0);
	assert_int_equal(policy_set_rights(&copied, 1, 1, VIEW_READ), 0);
	add_region(&copied, "three", MIB, PAGE);
	add_view(&copied, "third", 0);
	assert_int_equal(policy.region_count, 2);
	assert_int_equal(policy.view_count, 2);
	assert_int_equal(policy.views[0].rule_count, 0);
	assert_int_equal(policy.views[1].rule_count, 1);
	assert_int_equal(policy.views[1].rules[0].rights, VIEW_RIGHTS_ALL);
	assert_int_equal(copied.views[1].rule_count, 2);
	assert_int_equal(copied.views[1].rules[1].target.v, MIB);
	policy_finish(&policy);
	policy_finish(&copied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_count),
		cmocka_unit_test(region_faults),
		cmocka_unit_test(overlap),
		cmocka_unit_test(names),
		cmocka_unit_test(rules),
		cmocka_unit_test(remap_faults),
		cmocka_unit_test(rights),
		cmocka_unit_test(copy),
		cmocka_unit_test(memory_faults),
		cmocka_unit_test(error_table),
		cmocka_unit_test(as_many_as_can_be_named),
		cmocka_unit_test(slots),
		cmocka_unit_test(containment),
		cmocka_unit_test(all_faults),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
