/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables where violations can be #VE: which entries say that one exits all the same, and what that costs. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "scenario.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define SUPPRESS (UINT64_C(1) << 63)
#define MEMORY (4 * GIB)

static const struct paging_caps with_ve = {
	.has_2m = true, .has_1g = true, .exec_only = true, .ad_bits = true, .ve = true, .maxphyaddr = 46};
static const struct paging_caps without_ve = {
	.has_2m = true, .has_1g = true, .exec_only = true, .ad_bits = true, .maxphyaddr = 46};

/* The result of a build, large enough to keep off the stack. */
static struct ept_views built;

static void start(struct scenario *scenario, enum paging_format_id format, struct paging_caps caps)
{
	scenario_init(scenario, format, caps);
	scenario_add_memory(scenario, 0, MEMORY);
}

/* Returns its number. */
static uint32_t add_region(struct scenario *scenario, uint64_t at, uint64_t size)
{
	char name[32];
	uint32_t index;

	snprintf(name, sizeof(name), "r%zu", scenario->policy.region_count);
	assert_int_equal(policy_add_region(&scenario->policy, name, gpa_at(at), size, &index), 0);
	return index;
}

static void add_view(struct scenario *scenario, unsigned rights, bool ve)
{
	char name[32];
	uint32_t index;

	snprintf(name, sizeof(name), "v%zu", scenario->policy.view_count);
	assert_int_equal(policy_add_view(&scenario->policy, name, rights, &index), 0);
	scenario->policy.views[index].ve = ve;
}

static void add_rule(struct scenario *scenario, uint32_t view, uint32_t region, unsigned rights, bool ve)
{
	assert_int_equal(policy_set_rights(&scenario->policy, view, region, rights), 0);
	assert_int_equal(policy_set_ve(&scenario->policy, view, region, ve), 0);
}

static void build(struct scenario *scenario)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);

	if (ept_build(&scenario->policy, &scenario->target, &scenario->arena, &built, &error) != 0)
		fail_msg("%s", policy_error_text(error.kind));
}

/* What a walk finds at an address: a page of these rights, or, without any, an entry for so much of nothing. */
static void expect_entry(const struct scenario *scenario, size_t view, uint64_t address, unsigned rights, bool ve,
			 uint64_t size)
{
	const struct walk walk = scenario_walk(scenario, &built, view, address);

	assert_int_equal(walk.status, rights ? WALK_MAPPED : WALK_NOT_PRESENT);
	assert_int_equal(walk.read | walk.write << 1 | walk.execute << 2, rights);
	assert_int_equal(walk.suppressed, !ve);
	assert_int_equal(walk.page_size, size);
}

/* Intel SDM vol. 3C, 25.5.7.1: bit 63, and nothing in formats where it means something else or nothing. */
static void the_entry_of_nothing(void **state)
{
	(void)state;
	assert_true(paging_empty(&paging_formats[PAGING_EPT], &with_ve) == SUPPRESS);
	assert_true(paging_empty(&paging_formats[PAGING_EPT], &without_ve) == 0);
	assert_true(paging_empty(&paging_formats[PAGING_NPT], &with_ve) == 0);
	assert_true(paging_empty(&paging_slots, &with_ve) == 0);
}

/* Rights of every kind, pages of every size, and nothing. */
static void fill_plainly(struct scenario *scenario)
{
	static const uint64_t at[] = {GIB, 2 * GIB + 2 * MIB, 3 * GIB + PAGE, 3 * GIB + 4 * PAGE};
	static const uint64_t sizes[] = {GIB, 2 * MIB, PAGE, 2 * PAGE};

	add_view(scenario, VIEW_RIGHTS_ALL, false);
	add_view(scenario, VIEW_READ, false);
	add_view(scenario, 0, false);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		const uint32_t region = add_region(scenario, at[i], sizes[i]);

		add_rule(scenario, 0, region, 0, false);
		add_rule(scenario, 1, region, i % 2 ? VIEW_RIGHTS_ALL : 0, false);
		add_rule(scenario, 2, region, i % 2 ? VIEW_READ | VIEW_EXECUTE : 0, false);
	}
}

/* The tables are those of a target without, but for the bit in each entry that is none of a table. */
static void all_that_is_not_ve_is_suppressed(void **state)
{
	struct scenario plain, ve;
	size_t suppressed = 0, tables = 0;

	(void)state;
	start(&plain, PAGING_EPT, without_ve);
	fill_plainly(&plain);
	build(&plain);
	start(&ve, PAGING_EPT, with_ve);
	fill_plainly(&ve);
	build(&ve);
	assert_int_equal(ve.arena.used, plain.arena.used);
	for (size_t i = 0; i < plain.arena.used / 8; i++) {
		const uint64_t entry = ((const uint64_t *)plain.arena.host)[i];
		const bool table = (entry & 0xfff) == 7 && entry >= plain.arena.base.v &&
				   entry < plain.arena.base.v + plain.arena.used;

		assert_false(entry & SUPPRESS);
		assert_true(((const uint64_t *)ve.arena.host)[i] == (table ? entry : entry | SUPPRESS));
		suppressed += !table;
		tables += table;
	}
	assert_true(suppressed > 0 && tables > 4);
	expect_entry(&ve, 0, 0, VIEW_RIGHTS_ALL, false, GIB);
	expect_entry(&ve, 0, GIB, 0, false, GIB);
	expect_entry(&ve, 1, 3 * GIB + 4 * PAGE, VIEW_RIGHTS_ALL, false, PAGE);
	expect_entry(&ve, 2, MEMORY, 0, false, GIB);
	expect_entry(&ve, 2, 512 * GIB, 0, false, 512 * GIB);
	scenario_finish(&plain);
	scenario_finish(&ve);
}

/* There bit 63 forbids to execute: what the target is said to know of #VE changes no bit. */
static void npt_knows_no_ve(void **state)
{
	struct scenario scenarios[2];

	(void)state;
	for (int ve = 0; ve < 2; ve++) {
		start(&scenarios[ve], PAGING_NPT, ve ? with_ve : without_ve);
		fill_plainly(&scenarios[ve]);
		build(&scenarios[ve]);
	}
	assert_int_equal(scenarios[0].arena.used, scenarios[1].arena.used);
	assert_memory_equal(scenarios[0].arena.host, scenarios[1].arena.host, scenarios[0].arena.used);
	scenario_finish(&scenarios[0]);
	scenario_finish(&scenarios[1]);
}

/* An entry of value 0, as large as pages are that the processor has. */
static void nothing_that_is_ve(void **state)
{
	(void)state;
	for (unsigned set = 0; set < 4; set++) {
		const uint64_t large = set & 1 ? 2 * MIB : PAGE, huge = set & 2 ? GIB : large;
		struct paging_caps caps = with_ve;
		struct scenario scenario;

		caps.has_2m = set & 1;
		caps.has_1g = set & 2;
		start(&scenario, PAGING_EPT, caps);
		add_view(&scenario, VIEW_RIGHTS_ALL, false);
		add_rule(&scenario, 0, add_region(&scenario, GIB, GIB), 0, true);
		add_rule(&scenario, 0, add_region(&scenario, 2 * GIB + 2 * MIB, 2 * MIB), 0, true);
		add_rule(&scenario, 0, add_region(&scenario, 3 * GIB + PAGE, PAGE), 0, true);
		build(&scenario);
		expect_entry(&scenario, 0, 0, VIEW_RIGHTS_ALL, false, huge);
		expect_entry(&scenario, 0, GIB, 0, true, huge);
		expect_entry(&scenario, 0, 2 * GIB - 1, 0, true, huge);
		expect_entry(&scenario, 0, 2 * GIB + 2 * MIB, 0, true, large);
		expect_entry(&scenario, 0, 2 * GIB + 4 * MIB, VIEW_RIGHTS_ALL, false, large);
		expect_entry(&scenario, 0, 3 * GIB, VIEW_RIGHTS_ALL, false, PAGE);
		expect_entry(&scenario, 0, 3 * GIB + PAGE, 0, true, PAGE);
		expect_entry(&scenario, 0, 3 * GIB + 2 * PAGE, VIEW_RIGHTS_ALL, false, PAGE);
		scenario_finish(&scenario);
	}
}

/* Of a whole view: all of its memory and nothing beyond. */
static void views_of_nothing(void **state)
{
	struct scenario scenario;

	(void)state;
	start(&scenario, PAGING_EPT, with_ve);
	add_view(&scenario, 0, false);
	add_view(&scenario, 0, true);
	build(&scenario);
	/* A root is a table, whatever is in it. */
	assert_int_equal(built.view[0].tables, 1);
	assert_int_equal(built.view[1].tables, 2);
	expect_entry(&scenario, 0, 0, 0, false, 512 * GIB);
	expect_entry(&scenario, 1, 0, 0, true, GIB);
	expect_entry(&scenario, 1, MEMORY - 1, 0, true, GIB);
	expect_entry(&scenario, 1, MEMORY, 0, false, GIB);
	expect_entry(&scenario, 1, 512 * GIB, 0, false, 512 * GIB);
	scenario_finish(&scenario);
}

/* Neighbours of equal rights, which the page size does not join. */
static void neighbours_that_differ_only_in_ve(void **state)
{
	(void)state;
	for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights += 1 + (rights & 1)) {
		struct scenario scenario;

		start(&scenario, PAGING_EPT, with_ve);
		add_view(&scenario, VIEW_RIGHTS_ALL, false);
		add_rule(&scenario, 0, add_region(&scenario, GIB, PAGE), rights, true);
		add_rule(&scenario, 0, add_region(&scenario, GIB + PAGE, PAGE), rights, false);
		add_rule(&scenario, 0, add_region(&scenario, GIB + 2 * PAGE, PAGE), rights, true);
		add_rule(&scenario, 0, add_region(&scenario, 2 * GIB, 2 * MIB), rights, false);
		add_rule(&scenario, 0, add_region(&scenario, 2 * GIB + 2 * MIB, 2 * MIB), rights, true);
		build(&scenario);
		expect_entry(&scenario, 0, GIB, rights, true, PAGE);
		expect_entry(&scenario, 0, GIB + PAGE, rights, false, PAGE);
		expect_entry(&scenario, 0, GIB + 2 * PAGE, rights, true, PAGE);
		expect_entry(&scenario, 0, GIB + 3 * PAGE, VIEW_RIGHTS_ALL, false, PAGE);
		expect_entry(&scenario, 0, 2 * GIB, rights, false, 2 * MIB);
		expect_entry(&scenario, 0, 2 * GIB + 2 * MIB, rights, true, 2 * MIB);
		scenario_finish(&scenario);
	}
}

/* 512 regions of a page fill a large one, if they agree. */
static void large_pages_where_ve_is_uniform(void **state)
{
	(void)state;
	for (int odd = 0; odd < 2; odd++) {
		struct scenario scenario;

		start(&scenario, PAGING_EPT, with_ve);
		add_view(&scenario, VIEW_RIGHTS_ALL, true);
		add_view(&scenario, VIEW_RIGHTS_ALL, true);
		for (uint64_t i = 0; i < 512; i++) {
			const uint32_t region = add_region(&scenario, GIB + i * PAGE, PAGE);

			add_rule(&scenario, 0, region, VIEW_READ, i != 77 || !odd);
			add_rule(&scenario, 1, region, 0, i != 77 || !odd);
		}
		build(&scenario);
		expect_entry(&scenario, 0, GIB, VIEW_READ, true, odd ? PAGE : 2 * MIB);
		expect_entry(&scenario, 1, GIB, 0, true, odd ? PAGE : 2 * MIB);
		expect_entry(&scenario, 0, GIB + 77 * PAGE, VIEW_READ, !odd, odd ? PAGE : 2 * MIB);
		expect_entry(&scenario, 1, GIB + 77 * PAGE, 0, !odd, odd ? PAGE : 2 * MIB);
		expect_entry(&scenario, 0, 2 * GIB, VIEW_RIGHTS_ALL, true, GIB);
		expect_entry(&scenario, 0, MEMORY, 0, false, GIB);
		scenario_finish(&scenario);
	}
}

/* Views that agree are one hierarchy; one that differs only in #VE has the tables on the way there to itself, and no
 * other. */
static void sharing(void **state)
{
	struct paging_caps caps = with_ve;
	struct scenario scenario;
	uint32_t here, there;

	(void)state;
	caps.has_1g = false;
	start(&scenario, PAGING_EPT, caps);
	here = add_region(&scenario, GIB, PAGE);
	there = add_region(&scenario, 3 * GIB, PAGE);
	for (uint32_t view = 0; view < 4; view++) {
		add_view(&scenario, VIEW_RIGHTS_ALL, view == 3);
		add_rule(&scenario, view, here, 0, true);
		add_rule(&scenario, view, there, VIEW_READ, view == 2);
	}
	build(&scenario);
	/* PML4, PDPT, 4 PDs, 2 PTs. */
	assert_int_equal(built.view[0].own, 8);
	assert_int_equal(built.view[1].own, 0);
	assert_int_equal(built.view[1].root.v, built.view[0].root.v);
	/* PML4, PDPT, PD and PT. */
	assert_int_equal(built.view[2].own, 4);
	assert_int_equal(ept_view_shared(&built.view[2]), 4);
	/* Everything around the regions differs. */
	assert_int_equal(built.view[3].own, 8);
	for (uint32_t view = 0; view < 4; view++) {
		expect_entry(&scenario, view, GIB, 0, true, PAGE);
		expect_entry(&scenario, view, 3 * GIB, VIEW_READ, view == 2, PAGE);
		expect_entry(&scenario, view, 3 * GIB + PAGE, VIEW_RIGHTS_ALL, view == 3, PAGE);
	}
	scenario_finish(&scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_entry_of_nothing),
		cmocka_unit_test(all_that_is_not_ve_is_suppressed),
		cmocka_unit_test(npt_knows_no_ve),
		cmocka_unit_test(nothing_that_is_ve),
		cmocka_unit_test(views_of_nothing),
		cmocka_unit_test(neighbours_that_differ_only_in_ve),
		cmocka_unit_test(large_pages_where_ve_is_uniform),
		cmocka_unit_test(sharing),
	};

	return cmocka_run_group_tests_name("ept_ve", tests, NULL, NULL);
}
