/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static const struct paging_caps all_caps = {
	.has_2m = true,
	.has_1g = true,
	.exec_only = true,
	.ad_bits = true,
	.maxphyaddr = 46,
};

/* The result of a build, large enough to keep off the stack. */
static struct ept_views built;

static void start(struct scenario *scenario, enum paging_format_id format,
		  struct paging_caps caps, uint64_t memory)
{
	scenario_init(scenario, format, caps);
	scenario_add_memory(scenario, 0, memory);
	/* Memory under test may reach above the usual place. */
	scenario->arena.base = gpa_at(UINT64_C(1) << 45);
}

static void add_region(struct scenario *scenario, uint64_t at, uint64_t size)
{
	char name[32];

	snprintf(name, sizeof(name), "r%zu", scenario->policy.region_count);
	assert_int_equal(policy_add_region(&scenario->policy, name, gpa_at(at),
					   size, NULL), 0);
}

static void add_view(struct scenario *scenario, unsigned rights)
{
	char name[32];

	snprintf(name, sizeof(name), "v%zu", scenario->policy.view_count);
	assert_int_equal(policy_add_view(&scenario->policy, name, rights, NULL),
			 0);
}

static void set_rights(struct scenario *scenario, uint32_t view,
		       uint32_t region, unsigned rights)
{
	assert_int_equal(policy_set_rights(&scenario->policy, view, region,
					   rights), 0);
}

static void set_remap(struct scenario *scenario, uint32_t view, uint32_t region,
		      uint64_t target)
{
	assert_int_equal(policy_set_remap(&scenario->policy, view, region,
					  gpa_at(target)), 0);
}

static int build(struct scenario *scenario, struct policy_error *ret_error)
{
	return ept_build(&scenario->policy, &scenario->target, &scenario->arena,
			 &built, ret_error);
}

static uint64_t pages_used(const struct scenario *scenario)
{
	return scenario->arena.used / PAGE;
}

static void expect_page(const struct scenario *scenario, size_t view,
			uint64_t address, uint64_t to, unsigned rights,
			uint64_t page_size)
{
	const struct walk walk = scenario_walk(scenario, &built, view, address);

	assert_int_equal(walk.status, WALK_MAPPED);
	assert_int_equal(walk.address, to);
	assert_int_equal(walk.read, rights & 1);
	assert_int_equal(walk.write, rights >> 1 & 1);
	assert_int_equal(walk.execute, rights >> 2 & 1);
	assert_int_equal(walk.page_size, page_size);
}

/* Entry values computed by hand from the manuals' tables. */
static void encodings(void **state)
{
	const struct paging_format *ept = &paging_formats[PAGING_EPT];
	const struct paging_format *npt = &paging_formats[PAGING_NPT];
	const struct paging_caps none = { .maxphyaddr = 46 };

	(void)state;
	assert_int_equal(ept->encode_leaf(gpa_at(0x1000), 1, 7, &all_caps),
			 0x1037);
	assert_int_equal(ept->encode_leaf(gpa_at(0x1000), 1, 7, &none), 0x1337);
	assert_int_equal(ept->encode_leaf(gpa_at(0x200000), 2, 1, &all_caps),
			 0x2000b1);
	assert_int_equal(ept->encode_leaf(gpa_at(0x40000000), 3, 4, &all_caps),
			 0x400000b4);
	assert_int_equal(ept->encode_table(gpa_at(0x5000), &all_caps), 0x5007);
	assert_int_equal(ept->encode_table(gpa_at(0x5000), &none), 0x5107);
	assert_int_equal(ept->encode_root(gpa_at(0x5000), &all_caps), 0x505e);
	assert_int_equal(ept->encode_root(gpa_at(0x5000), &none), 0x501e);
	assert_int_equal(npt->encode_leaf(gpa_at(0x1000), 1, 7, &none), 0x1067);
	assert_int_equal(npt->encode_leaf(gpa_at(0x1000), 1, 1, &none),
			 0x8000000000001065);
	assert_int_equal(npt->encode_leaf(gpa_at(0x200000), 2, 5, &none),
			 0x2000e5);
	assert_int_equal(npt->encode_leaf(gpa_at(0x40000000), 3, 3, &none),
			 0x80000000400000e7);
	assert_int_equal(npt->encode_table(gpa_at(0x5000), &none), 0x5027);
	assert_int_equal(npt->encode_root(gpa_at(0x5000), &none), 0x5000);
	assert_string_equal(ept->name, "ept");
	assert_string_equal(npt->name, "npt");
}

static void caps_from_msr(void **state)
{
	struct paging_caps caps = { .maxphyaddr = 1 };

	(void)state;
	assert_int_equal(paging_caps_from_ept_msr(0x4000, 40, &caps),
			 -EOPNOTSUPP);
	assert_int_equal(paging_caps_from_ept_msr(0x40, 40, &caps), -EOPNOTSUPP);
	assert_int_equal(caps.maxphyaddr, 1);
	assert_int_equal(paging_caps_from_ept_msr(0x4040, 40, &caps), 0);
	assert_false(caps.has_2m || caps.has_1g || caps.exec_only ||
		     caps.ad_bits || caps.memtype_uc || caps.walk_5);
	assert_int_equal(caps.maxphyaddr, 40);
	assert_int_equal(paging_caps_from_ept_msr(0x4041, 40, &caps), 0);
	assert_true(caps.exec_only);
	assert_int_equal(paging_caps_from_ept_msr(0x40c0, 40, &caps), 0);
	assert_true(caps.walk_5);
	assert_int_equal(paging_caps_from_ept_msr(0x4140, 40, &caps), 0);
	assert_true(caps.memtype_uc);
	assert_int_equal(paging_caps_from_ept_msr(0x14040, 40, &caps), 0);
	assert_true(caps.has_2m && !caps.has_1g);
	assert_int_equal(paging_caps_from_ept_msr(0x24040, 40, &caps), 0);
	assert_true(caps.has_1g && !caps.has_2m);
	assert_int_equal(paging_caps_from_ept_msr(0x204040, 40, &caps), 0);
	assert_true(caps.ad_bits);
}

/* Which rights, r 1, w 2, x 4, are no misconfiguration and no lie. */
static bool can_express(unsigned rights, bool npt, bool exec_only)
{
	static const unsigned always[] = { 0, 1, 3, 5, 7 };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		if (rights == always[i])
			return true;
	}
	return rights == 4 && !npt && exec_only;
}

/*
 * Every value of the rights, as default and as rule, in both formats and with
 * all capabilities: what is accepted walks without misconfiguration, the rest
 * is refused and takes nothing from the arena.
 */
static void misconfigurations_refused(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 16 * 16 * 2 * 2; run++) {
		const unsigned rights = run % 16;
		const unsigned set = run / 16 % 16;
		const bool npt = run / 256 % 2;
		const bool by_rule = run / 512;
		const struct paging_caps caps = {
			.has_2m = set & 1,
			.has_1g = set & 2,
			.exec_only = set & 4,
			.ad_bits = set & 8,
			.maxphyaddr = 46,
		};
		struct policy_error error;
		struct scenario scenario;
		int result;

		start(&scenario, npt ? PAGING_NPT : PAGING_EPT, caps, 4 * MIB);
		add_region(&scenario, 2 * MIB, 2 * MIB);
		add_view(&scenario, 7);
		add_view(&scenario, by_rule ? 7 : rights);
		if (by_rule)
			set_rights(&scenario, 1, 0, rights);
		result = build(&scenario, &error);
		if (can_express(rights, npt, caps.exec_only)) {
			assert_int_equal(result, 0);
			if (rights)
				expect_page(&scenario, 1, 2 * MIB, 2 * MIB,
					    rights,
					    caps.has_2m ? 2 * MIB : PAGE);
			else
				assert_int_equal(scenario_walk(&scenario,
							       &built, 1,
							       2 * MIB).status,
						 WALK_NOT_PRESENT);
		} else {
			assert_true(result < 0);
			assert_int_equal(error.kind,
					 rights > 7 ?
						 POLICY_ERROR_RIGHTS_UNKNOWN :
					 rights == 4 ?
						 POLICY_ERROR_EXECUTE_ONLY :
						 POLICY_ERROR_WRITE_WITHOUT_READ);
			assert_int_equal(error.view, 1);
			assert_int_equal(error.region,
					 by_rule ? 0 : POLICY_NO_INDEX);
			assert_int_equal(pages_used(&scenario), 0);
		}
		scenario_finish(&scenario);
	}
}

static void tables_of_plain_views(void **state)
{
	static const struct {
		bool has_2m;
		bool has_1g;
		uint64_t memory;
		uint64_t tables;
	} rows[] = {
		{ true, true, 64 * GIB, 2 },
		{ true, true, 1024 * GIB, 3 },
		{ true, true, GIB + 2 * MIB, 3 },
		{ true, true, GIB + PAGE, 4 },
		{ true, false, 64 * GIB, 2 + 64 },
		{ false, false, GIB, 2 + 1 + 512 },
		{ false, true, GIB, 2 },
		{ false, true, GIB + 2 * MIB, 2 + 1 + 1 },
		{ true, true, PAGE, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct paging_caps caps = all_caps;
		struct scenario scenario;

		caps.has_2m = rows[i].has_2m;
		caps.has_1g = rows[i].has_1g;
		start(&scenario, PAGING_EPT, caps, rows[i].memory);
		for (unsigned view = 0; view < 3; view++)
			add_view(&scenario, 7);
		assert_int_equal(build(&scenario, NULL), 0);
		assert_int_equal(pages_used(&scenario), rows[i].tables);
		assert_int_equal(built.view[0].own, rows[i].tables);
		/* Equal views are one hierarchy. */
		assert_int_equal(built.view[2].own, 0);
		assert_int_equal(built.view[2].root.v, built.view[0].root.v);
		assert_int_equal(built.view[2].tables, rows[i].tables);
		assert_int_equal(ept_view_shared(&built.view[2]),
				 rows[i].tables);
		assert_int_equal(built.tables_unshared, 3 * rows[i].tables);
		scenario_finish(&scenario);
	}
}

/* One table per level on the path to what differs, and not one more. */
static void four_tables_per_view(void **state)
{
	(void)state;
	for (unsigned views = 1; views <= VIEW_MAX; views *= 8) {
		struct scenario scenario;

		start(&scenario, PAGING_EPT, all_caps, 64 * GIB);
		add_view(&scenario, 7);
		for (uint32_t view = 1; view < views; view++) {
			add_view(&scenario, 7);
			for (uint32_t i = 0; i < 16; i++) {
				add_region(&scenario,
					   5 * GIB + view * 2 * MIB +
						   i * 3 * PAGE, PAGE);
				set_rights(&scenario, view,
					   (view - 1) * 16 + i, 1);
			}
		}
		assert_int_equal(build(&scenario, NULL), 0);
		assert_int_equal(pages_used(&scenario), 2 + 4 * (views - 1));
		for (uint32_t view = 1; view < views; view++) {
			assert_int_equal(built.view[view].own, 4);
			assert_int_equal(built.view[view].tables, 4);
		}
		scenario_finish(&scenario);
	}
}

/* The limits on memory that the design asks for, at 512 views of 64 GiB. */
static void spread_tables(void **state)
{
	struct scenario scenario;

	(void)state;
	start(&scenario, PAGING_EPT, all_caps, 64 * GIB);
	assert_int_equal(scenario.arena.size, 80 * MIB);
	add_view(&scenario, 7);
	for (uint32_t view = 1; view < VIEW_MAX; view++) {
		add_view(&scenario, 7);
		for (uint32_t i = 0; i < 16; i++) {
			add_region(&scenario, i * GIB + view * PAGE, PAGE);
			set_rights(&scenario, view, (view - 1) * 16 + i, 1);
		}
	}
	assert_int_equal(build(&scenario, NULL), 0);
	assert_int_equal(pages_used(&scenario), 2 + 511 * (2 + 16 + 16));
	scenario_finish(&scenario);
}

/*
 * Where views agree, they share: the same rule in all of them, made of
 * different regions, next to one that differs.
 */
static void partial_sharing(void **state)
{
	struct paging_caps caps = all_caps;
	struct scenario scenario;

	(void)state;
	caps.has_1g = false;
	start(&scenario, PAGING_EPT, caps, 4 * GIB);
	add_region(&scenario, GIB, 2 * PAGE);
	add_region(&scenario, GIB + 2 * PAGE, 2 * PAGE);
	add_region(&scenario, 3 * GIB, PAGE);
	add_view(&scenario, 7);
	set_rights(&scenario, 0, 0, 1);
	set_rights(&scenario, 0, 1, 1);
	add_view(&scenario, 7);
	set_rights(&scenario, 1, 0, 1);
	set_rights(&scenario, 1, 1, 1);
	set_rights(&scenario, 1, 2, 5);
	/* The opposite default, undone by rules as far as it matters. */
	add_view(&scenario, 1);
	set_rights(&scenario, 2, 2, 1);
	assert_int_equal(build(&scenario, NULL), 0);
	/* PML4, PDPT, 4 PDs, 1 PT. */
	assert_int_equal(built.view[0].own, 7);
	/* PML4, PDPT, PD and PT of the page at 3 GiB. */
	assert_int_equal(built.view[1].own, 4);
	assert_int_equal(built.view[1].tables, 8);
	assert_int_equal(ept_view_shared(&built.view[1]), 4);
	/* A rule that says what the default says costs nothing. */
	assert_int_equal(built.view[2].own, 6);
	scenario_finish(&scenario);
}

/* Regions that fill a large page together do not split it. */
static void regions_join(void **state)
{
	struct scenario scenario;

	(void)state;
	start(&scenario, PAGING_EPT, all_caps, 4 * GIB);
	add_view(&scenario, 7);
	for (uint32_t i = 0; i < 512; i++) {
		/* In an order that is not that of the addresses. */
		add_region(&scenario, GIB + (i * 5 % 512) * PAGE, PAGE);
		set_rights(&scenario, 0, i, 5);
	}
	assert_int_equal(build(&scenario, NULL), 0);
	expect_page(&scenario, 0, GIB, GIB, 5, 2 * MIB);
	expect_page(&scenario, 0, GIB + 2 * MIB, GIB + 2 * MIB, 7, 2 * MIB);
	expect_page(&scenario, 0, 2 * GIB, 2 * GIB, 7, GIB);
	assert_int_equal(pages_used(&scenario), 3);
	scenario_finish(&scenario);
}

static void remaps(void **state)
{
	struct scenario scenario;

	(void)state;
	start(&scenario, PAGING_NPT, all_caps, 8 * GIB);
	add_region(&scenario, GIB, 2 * GIB);       /* to 4 GiB: 1 GiB leaves */
	add_region(&scenario, 4 * GIB, 2 * MIB);   /* swapped with the next */
	add_region(&scenario, 4 * GIB + 2 * MIB, 2 * MIB);
	add_region(&scenario, 5 * GIB, 2 * MIB);   /* off by a page: split */
	add_region(&scenario, 6 * GIB, PAGE);      /* to itself: nothing */
	add_view(&scenario, 3);
	add_view(&scenario, 3);
	set_remap(&scenario, 0, 0, 4 * GIB);
	set_remap(&scenario, 0, 1, 4 * GIB + 2 * MIB);
	set_remap(&scenario, 0, 2, 4 * GIB);
	set_rights(&scenario, 0, 2, 5);
	set_remap(&scenario, 0, 3, 5 * GIB + PAGE);
	set_remap(&scenario, 0, 4, 6 * GIB);
	set_remap(&scenario, 1, 4, 6 * GIB);
	assert_int_equal(build(&scenario, NULL), 0);
	expect_page(&scenario, 0, GIB + 7, 4 * GIB + 7, 3, GIB);
	expect_page(&scenario, 0, 3 * GIB - 1, 6 * GIB - 1, 3, GIB);
	expect_page(&scenario, 0, 4 * GIB, 4 * GIB + 2 * MIB, 3, 2 * MIB);
	expect_page(&scenario, 0, 4 * GIB + 2 * MIB, 4 * GIB, 5, 2 * MIB);
	expect_page(&scenario, 0, 4 * GIB + 4 * MIB, 4 * GIB + 4 * MIB, 3,
		    2 * MIB);
	expect_page(&scenario, 0, 5 * GIB, 5 * GIB + PAGE, 3, PAGE);
	expect_page(&scenario, 0, 5 * GIB + 2 * MIB - 1,
		    5 * GIB + 2 * MIB + PAGE - 1, 3, PAGE);
	expect_page(&scenario, 0, 6 * GIB, 6 * GIB, 3, GIB);
	assert_int_equal(built.view[1].tables, 2);
	scenario_finish(&scenario);
}

/* Off by any power of two that a large page is not aligned to: the leaves are as large as can be reached. */
static void remaps_off_by_a_part_of_a_page(void **state)
{
	for (uint64_t by = PAGE; by < GIB; by *= 2) {
		struct scenario scenario;

		(void)state;
		start(&scenario, PAGING_NPT, all_caps, 8 * GIB);
		add_region(&scenario, GIB, GIB);
		add_view(&scenario, 3);
		set_remap(&scenario, 0, 0, 4 * GIB + by);
		assert_int_equal(build(&scenario, NULL), 0);
		expect_page(&scenario, 0, GIB, 4 * GIB + by, 3, by < 2 * MIB ? PAGE : 2 * MIB);
		expect_page(&scenario, 0, 2 * GIB - 1, 5 * GIB + by - 1, 3, by < 2 * MIB ? PAGE : 2 * MIB);
		scenario_finish(&scenario);
	}
}

static void view_of_nothing(void **state)
{
	(void)state;
	for (int format = PAGING_EPT; format < PAGING_FORMAT_COUNT; format++) {
		struct scenario scenario;

		start(&scenario, (enum paging_format_id)format, all_caps, GIB);
		add_region(&scenario, 0, PAGE);
		add_view(&scenario, 0);
		add_view(&scenario, 0);
		set_rights(&scenario, 1, 0, 3);
		assert_int_equal(build(&scenario, NULL), 0);
		assert_int_equal(built.view[0].tables, 1);
		assert_int_equal(scenario_walk(&scenario, &built, 0, 0).status,
				 WALK_NOT_PRESENT);
		expect_page(&scenario, 1, 0, 0, 3, PAGE);
		assert_int_equal(scenario_walk(&scenario, &built, 1, PAGE).status,
				 WALK_NOT_PRESENT);
		scenario_finish(&scenario);
	}
}

static void arena_full(void **state)
{
	static unsigned char beyond[PAGE];
	struct scenario scenario;
	struct ept_views *untouched = calloc(1, sizeof(*untouched));
	uint64_t needed;

	(void)state;
	assert_non_null(untouched);
	memset(beyond, 0x5a, sizeof(beyond));
	start(&scenario, PAGING_EPT, all_caps, 4 * GIB);
	add_region(&scenario, GIB, PAGE);
	add_view(&scenario, 7);
	add_view(&scenario, 7);
	set_rights(&scenario, 1, 0, 1);
	assert_int_equal(build(&scenario, NULL), 0);
	needed = pages_used(&scenario);
	assert_int_equal(needed, 6);
	for (uint64_t pages = 0; pages < needed; pages++) {
		struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);

		scenario.arena.size = (1 + pages) * PAGE;
		scenario.arena.used = PAGE;
		memset(&built, 0, sizeof(built));
		memset((char *)scenario.arena.host + scenario.arena.size, 0x5a,
		       PAGE);
		assert_int_equal(build(&scenario, &error), -ENOSPC);
		assert_memory_equal((char *)scenario.arena.host +
					    scenario.arena.size,
				    beyond, PAGE);
		assert_int_equal(error.kind, POLICY_ERROR_ARENA_FULL);
		if (pages > 0)
			assert_int_equal(error.view, pages < 2 ? 0 : 1);
		assert_int_equal(scenario.arena.used, PAGE);
		assert_memory_equal(&built, untouched, sizeof(built));
	}
	/* Exactly enough, behind what was used before. */
	scenario.arena.size = (1 + needed) * PAGE;
	assert_int_equal(build(&scenario, NULL), 0);
	assert_int_equal(scenario.arena.used, scenario.arena.size);
	assert_true(built.view[0].root.v > scenario.arena.base.v);
	free(untouched);
	scenario_finish(&scenario);
}

static void arena_faults(void **state)
{
	static const struct {
		uint64_t base;
		uint64_t size;
		uint64_t used;
		enum policy_error_kind kind;
	} rows[] = {
		{ 8 * GIB, MIB, 0, POLICY_ERROR_INVALID },
		{ 4 * GIB, MIB, 0, POLICY_ERROR_INVALID },
		{ 8 * GIB, 0, 0, POLICY_ERROR_ARENA_FULL },
		{ 8 * GIB, MIB, MIB, POLICY_ERROR_ARENA_FULL },
		{ 8 * GIB, MIB, 2 * MIB, POLICY_ERROR_ARENA_FULL },
		{ 8 * GIB + 1, MIB, 0, POLICY_ERROR_ARENA_UNALIGNED },
		{ 8 * GIB, MIB + 1, 0, POLICY_ERROR_ARENA_UNALIGNED },
		{ 8 * GIB, MIB, 8, POLICY_ERROR_ARENA_UNALIGNED },
		{ 4 * GIB - PAGE, MIB, 0, POLICY_ERROR_ARENA_EXPOSED },
		{ GIB, MIB, 0, POLICY_ERROR_ARENA_EXPOSED },
		{ 0, MIB, 0, POLICY_ERROR_ARENA_EXPOSED },
		{ UINT64_C(1) << 36, MIB, 0, POLICY_ERROR_ARENA_TOO_WIDE },
		{ (UINT64_C(1) << 36) - PAGE, MIB, 0,
		  POLICY_ERROR_ARENA_TOO_WIDE },
		{ (UINT64_C(1) << 36) - MIB, MIB, 0, POLICY_ERROR_INVALID },
		{ UINT64_C(0) - PAGE, MIB, 0, POLICY_ERROR_ARENA_TOO_WIDE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
		struct paging_caps caps = all_caps;
		struct scenario scenario;
		int result;

		caps.maxphyaddr = 36;
		start(&scenario, PAGING_EPT, caps, 4 * GIB);
		add_view(&scenario, 7);
		scenario.arena.base = gpa_at(rows[i].base);
		scenario.arena.size = rows[i].size;
		scenario.arena.used = rows[i].used;
		result = build(&scenario, &error);
		assert_int_equal(error.kind, rows[i].kind);
		assert_int_equal(result, -policy_error_number(rows[i].kind));
		scenario_finish(&scenario);
	}
}

static void list(void **state)
{
	static uint64_t entries[EPTP_LIST_ENTRIES];
	struct scenario scenario;

	(void)state;
	start(&scenario, PAGING_EPT, all_caps, GIB);
	add_view(&scenario, 7);
	add_view(&scenario, 5);
	add_view(&scenario, 1);
	assert_int_equal(build(&scenario, NULL), 0);
	memset(entries, 0xff, sizeof(entries));
	eptp_list_build(entries, &built);
	for (size_t i = 0; i < EPTP_LIST_ENTRIES; i++) {
		assert_int_equal(entries[i], i < 3 ? built.view[i].pointer : 0);
		assert_int_equal(eptp_check(entries[i], &all_caps),
				 i < 3 ? EPTP_VALID : EPTP_MEMORY_TYPE);
	}
	assert_int_equal(entries[1], built.view[1].root.v | 0x5e);
	scenario_finish(&scenario);
}

/* Memory of one of several guests lies behind that of the others; what is behind it is nobody's and stays. */
static void memory_elsewhere(void **state)
{
	const uint64_t offsets[] = {6 * MIB, 6 * MIB + PAGE}, pages[] = {2 * MIB, PAGE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scenario scenario;

		start(&scenario, PAGING_EPT, all_caps, 4 * MIB);
		scenario_add_memory(&scenario, 3 * GIB, PAGE);
		scenario.target.moved = 4 * MIB;
		scenario.target.offset = offsets[i];
		add_region(&scenario, 2 * MIB, PAGE);
		add_view(&scenario, 7);
		set_remap(&scenario, 0, 0, 3 * MIB);
		assert_int_equal(build(&scenario, NULL), 0);
		expect_page(&scenario, 0, MIB, MIB + offsets[i], 7, pages[i]);
		expect_page(&scenario, 0, 2 * MIB, 3 * MIB + offsets[i], 7, PAGE);
		expect_page(&scenario, 0, 2 * MIB + PAGE, 2 * MIB + PAGE + offsets[i], 7, PAGE);
		expect_page(&scenario, 0, 3 * GIB, 3 * GIB, 7, PAGE);
		scenario_finish(&scenario);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
		cmocka_unit_test(caps_from_msr),
		cmocka_unit_test(misconfigurations_refused),
		cmocka_unit_test(tables_of_plain_views),
		cmocka_unit_test(four_tables_per_view),
		cmocka_unit_test(spread_tables),
		cmocka_unit_test(partial_sharing),
		cmocka_unit_test(regions_join),
		cmocka_unit_test(remaps),
		cmocka_unit_test(memory_elsewhere),
		cmocka_unit_test(remaps_off_by_a_part_of_a_page),
		cmocka_unit_test(view_of_nothing),
		cmocka_unit_test(arena_full),
		cmocka_unit_test(arena_faults),
		cmocka_unit_test(list),
	};

	return cmocka_run_group_tests_name("ept", tests, NULL, NULL);
}
