/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a guest there is for views: its memory, and the pages of its platform's devices. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "vmm/plan/engine_target.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define PAGE UINT64_C(0x1000)

struct row {
	enum platform platform;
	uint64_t memory;
	size_t count;
	struct gpa_range ranges[ENGINE_RANGES_MAX];
};

/* Below 3 GiB, and what is more from 4 GiB on. */
static const struct row rows[] = {
	{PLATFORM_SIDESTEP, 16 * MIB, 2, {{{0}, 16 * MIB}, {{0xd0000000}, PAGE}}},
	{PLATFORM_SIDESTEP, 3 * GIB, 2, {{{0}, 3 * GIB}, {{0xd0000000}, PAGE}}},
	{PLATFORM_SIDESTEP, 3 * GIB + PAGE, 3, {{{0}, 3 * GIB}, {{0xd0000000}, PAGE}, {{4 * GIB}, PAGE}}},
	{PLATFORM_SIDESTEP, 10 * GIB, 3, {{{0}, 3 * GIB}, {{0xd0000000}, PAGE}, {{4 * GIB}, 7 * GIB}}},
	{PLATFORM_PC, 128 * MIB, 3, {{{0}, 128 * MIB}, {{0xfec00000}, PAGE}, {{0xfee00000}, PAGE}}},
	{PLATFORM_PC, 3 * GIB, 3, {{{0}, 3 * GIB}, {{0xfec00000}, PAGE}, {{0xfee00000}, PAGE}}},
	{PLATFORM_PC, 3 * GIB + PAGE, 4,
	 {{{0}, 3 * GIB}, {{0xfec00000}, PAGE}, {{0xfee00000}, PAGE}, {{4 * GIB}, PAGE}}},
	{PLATFORM_PC, 10 * GIB, 4,
	 {{{0}, 3 * GIB}, {{0xfec00000}, PAGE}, {{0xfee00000}, PAGE}, {{4 * GIB}, 7 * GIB}}},
};

static void same_ranges(const struct gpa_range *is, size_t count, const struct row *row)
{
	assert_int_equal(count, row->count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(is[i].start.v, row->ranges[i].start.v);
		assert_int_equal(is[i].size, row->ranges[i].size);
		/* Ascending, with something between them that is not the guest's. */
		if (i)
			assert_true(is[i].start.v > is[i - 1].start.v + is[i - 1].size - 1);
	}
}

static void ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gpa_range is[ENGINE_RANGES_MAX];

		same_ranges(is, engine_ranges(rows[i].platform, rows[i].memory, is), &rows[i]);
	}
}

/* Without a host that could be asked. */
static void targets(void **state)
{
	(void)state;
	for (size_t e = 0; e < engine_count; e++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct engine_target target;

			const struct engine_offer offer = engine_ask(engines[e], NULL);

			engine_target_init(&target, engines[e], &offer, rows[i].platform, rows[i].memory);
			assert_ptr_equal(target.view.memory.ranges, target.ranges);
			same_ranges(target.view.memory.ranges, target.view.memory.count, &rows[i]);
			assert_ptr_equal(target.view.format, engines[e]->format);
			assert_false(target.view.caps.ve);
			assert_non_null(strstr(target.basis, "no KVM"));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(targets),
	};

	return cmocka_run_group_tests_name("engine_target", tests, NULL, NULL);
}
