/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "effect.h"
#include "scenario.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define EDGES_MAX 64

/* Of each of the combinations of a format's capabilities. */
#define ROUNDS 80
#define CAPABILITIES 32

struct run {
	struct scenario *scenario;
	const struct ept_views *views;
	uint64_t edges[EDGES_MAX];
	size_t edge_count;
	uint64_t seed;
};

static unsigned rights_of(const struct walk *walk)
{
	return (walk->read ? 1u : 0) | (walk->write ? 2u : 0) |
	       (walk->execute ? 4u : 0);
}

/* True if one leaf could map the naturally aligned block around an address, or say of all of it that what nobody may do
 * there is #VE. */
static bool block_is_uniform(const struct run *run, size_t view,
			     uint64_t address, uint64_t size)
{
	const uint64_t start = address / size * size;
	const struct expectation first =
		scenario_expect(run->scenario, view, start);

	if (first.mapped ? first.address % size != 0 : !first.ve)
		return false;
	for (size_t i = 0; i < run->edge_count; i++) {
		const uint64_t at = run->edges[i];
		struct expectation other;

		if (at <= start || at - start >= size)
			continue;
		other = scenario_expect(run->scenario, view, at);
		if (other.mapped != first.mapped || other.ve != first.ve ||
		    other.rights != first.rights ||
		    (first.mapped && other.address - first.address != at - start))
			return false;
	}
	return true;
}

static uint64_t largest_page(const struct run *run, size_t view,
			     uint64_t address)
{
	const struct paging_caps *caps = &run->scenario->target.caps;

	if (caps->has_1g && block_is_uniform(run, view, address, GIB))
		return GIB;
	if (caps->has_2m && block_is_uniform(run, view, address, 2 * MIB))
		return 2 * MIB;
	return PAGE;
}

/* A violation is suppressed unless the view says that it is #VE, which it can say of guest memory only. */
static void check_ve(const struct run *run, size_t view, uint64_t address,
		     const struct expectation *expected, const struct walk *walk)
{
	const struct scenario *scenario = run->scenario;
	const bool inside = layout_contains(&scenario->target.memory, gpa_at(address), 1);

	assert_int_equal(expected->ve,
			 inside && policy_effect(&scenario->policy, (uint32_t)view, gpa_at(address)).ve);
	if (walk->suppressed != (scenario_has_ve(scenario) && !expected->ve))
		fail_msg("seed %llu view %zu address %llx: suppressed %d",
			 (unsigned long long)run->seed, view,
			 (unsigned long long)address, walk->suppressed);
}

static void check_address(const struct run *run, size_t view, uint64_t address)
{
	const struct scenario *scenario = run->scenario;
	const struct expectation expected =
		scenario_expect(scenario, view, address);
	const struct walk walk =
		scenario_walk(scenario, run->views, view, address);

	if (walk.status == WALK_BAD)
		fail_msg("seed %llu view %zu address %llx: %s",
			 (unsigned long long)run->seed, view,
			 (unsigned long long)address, walk.why);
	if ((walk.status == WALK_MAPPED) != expected.mapped)
		fail_msg("seed %llu view %zu address %llx: mapped %d",
			 (unsigned long long)run->seed, view,
			 (unsigned long long)address, !expected.mapped);
	check_ve(run, view, address, &expected, &walk);
	if (expected.mapped || expected.ve)
		assert_int_equal(walk.page_size, largest_page(run, view, address));
	if (!expected.mapped)
		return;
	assert_int_equal(rights_of(&walk), expected.rights);
	assert_int_equal(walk.address, expected.address);
	if (scenario->npt || !scenario->target.caps.ad_bits)
		assert_true(walk.flags_set);
	else
		assert_true(walk.flags_clear);
}

static void check_addresses(const struct run *run, size_t view, uint64_t *state)
{
	static const uint64_t steps[] = { 1, PAGE, 2 * MIB, GIB, 512 * GIB };
	const uint64_t limit = UINT64_C(1) << 48;

	for (size_t i = 0; i < run->edge_count; i++) {
		const uint64_t edge = run->edges[i];

		if (edge < limit)
			check_address(run, view, edge);
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			if (edge >= steps[j])
				check_address(run, view, edge - steps[j]);
			if (edge + steps[j] < limit)
				check_address(run, view, edge + steps[j]);
		}
		if (i % 2 == 0) {
			const uint64_t size = run->edges[i + 1] - edge;

			for (unsigned n = 0; n < 8; n++)
				check_address(run, view,
					      edge + random_below(state, size));
		}
	}
	for (unsigned n = 0; n < 8; n++)
		check_address(run, view, random_below(state, limit));
}

/* Equal tables exist once, and an empty one only as a root. */
static void check_sharing(const struct run *run)
{
	uint64_t empty[PAGE / 8];
	const struct table_arena *arena = &run->scenario->arena;
	const unsigned char *host = arena->host;
	const size_t pages = arena->used / PAGE;
	const struct walk_memory memory = scenario_tables(run->scenario);
	uint64_t own = 0;
	uint64_t all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		empty[i] = (uint64_t)scenario_has_ve(run->scenario) << 63;
	for (size_t i = 0; i < pages; i++) {
		bool is_root = false;

		for (size_t view = 0; view < run->views->count; view++)
			is_root |= run->views->view[view].root.v ==
				   arena->base.v + i * PAGE;
		if (!is_root)
			assert_true(memcmp(host + i * PAGE, empty, PAGE) != 0);
		for (size_t j = 0; j < i && pages <= 400; j++)
			assert_true(memcmp(host + i * PAGE, host + j * PAGE,
					   PAGE) != 0);
	}
	for (size_t view = 0; view < run->views->count; view++) {
		const struct ept_view *one = &run->views->view[view];

		assert_int_equal(one->tables,
				 walk_count_tables(&memory, one->root.v));
		assert_true(one->own <= one->tables);
		own += one->own;
		all += one->tables;
	}
	assert_int_equal(own, pages);
	assert_int_equal(run->views->tables_total, own);
	assert_int_equal(run->views->tables_unshared, all);
}

static void run_one(uint64_t seed, enum paging_format_id format, unsigned set)
{
	static const uint8_t widths[] = { 36, 39, 46, 48, 52 };
	uint64_t state = seed;
	const struct paging_caps caps = {
		.has_2m = set & 1,
		.has_1g = set & 2,
		.exec_only = set & 4,
		.ad_bits = set & 8,
		.ve = set & 16,
		.maxphyaddr =
			widths[random_below(&state, ARRAY_SIZE(widths))],
	};
	struct ept_views *views = calloc(1, sizeof(*views));
	struct scenario scenario;
	struct run run = { .scenario = &scenario, .views = views, .seed = seed };
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
	int result;

	assert_non_null(views);
	scenario_init(&scenario, format, caps);
	scenario_randomize(&scenario, &state);
	run.edge_count = scenario_edges(&scenario, run.edges, EDGES_MAX);
	result = ept_build(&scenario.policy, &scenario.target, &scenario.arena,
			   views, &error);
	if (result != 0)
		fail_msg("seed %llu: %s", (unsigned long long)seed,
			 policy_error_text(error.kind));
	assert_int_equal(views->count, scenario.policy.view_count);
	for (size_t view = 0; view < views->count; view++)
		check_addresses(&run, view, &state);
	check_sharing(&run);
	scenario_finish(&scenario);
	free(views);
}

static void walker_agrees_ept(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < CAPABILITIES * ROUNDS; seed++)
		run_one(seed, PAGING_EPT, seed % CAPABILITIES);
}

static void walker_agrees_npt(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < CAPABILITIES * ROUNDS; seed++)
		run_one(seed + 1000000, PAGING_NPT, seed % CAPABILITIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walker_agrees_ept),
		cmocka_unit_test(walker_agrees_npt),
	};

	return cmocka_run_group_tests_name("views_random", tests, NULL, NULL);
}
