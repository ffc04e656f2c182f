/* SPDX-License-Identifier: GPL-2.0-only */
/* Views that change while they are in use: what the tables say after each change, that nothing else has
 * moved, and that no number of changes uses the arena up. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ept_live.h"
#include "scenario.h"

#define PAGE UINT64_C(4096)
#define EDGES_MAX 64
#define SCENARIOS 60
#define CHANGES 20

/* Far more changes than there is room for tables. */
#define MANY 1000000u
#define MANY_REGIONS 12
#define MANY_VIEWS 4
#define SMALL_ARENA 120

struct fixture {
	struct scenario scenario;
	struct ept_views views;
	struct ept_live *live;
	uint64_t edges[EDGES_MAX];
	size_t edge_count;
};

static struct fixture *fixture;

static int setup(void **state)
{
	(void)state;
	fixture = calloc(1, sizeof(*fixture));
	return fixture == NULL;
}

static int teardown(void **state)
{
	(void)state;
	ept_live_destroy(fixture->live);
	scenario_finish(&fixture->scenario);
	free(fixture);
	return 0;
}

static void create(void)
{
	struct scenario *scenario = &fixture->scenario;
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
	const int result = ept_live_create(&scenario->policy, &scenario->target, &scenario->arena,
					   &fixture->views, &fixture->live, &error);

	if (result != 0)
		fail_msg("%s", policy_error_text(error.kind));
	/* The walker may look at all of the arena, which is no longer the scenario's. */
	scenario->arena.used = scenario->arena.size;
}

static unsigned rights_of(const struct walk *walk)
{
	return (walk->read ? 1u : 0) | (walk->write ? 2u : 0) | (walk->execute ? 4u : 0);
}

static void check_view(size_t view)
{
	for (size_t i = 0; i < fixture->edge_count; i++)
		for (int before = 0; before < 2; before++) {
			const uint64_t at = fixture->edges[i] - (before && fixture->edges[i] ? 1 : 0);
			const struct expectation wanted =
				scenario_expect(&fixture->scenario, view, at);
			const struct walk walk =
				scenario_walk(&fixture->scenario, &fixture->views, view, at);

			if (walk.status == WALK_BAD)
				fail_msg("view %zu address %llx: %s", view, (unsigned long long)at,
					 walk.why);
			assert_int_equal(walk.status == WALK_MAPPED, wanted.mapped);
			assert_int_equal(walk.suppressed, scenario_has_ve(&fixture->scenario) && !wanted.ve);
			if (!wanted.mapped)
				continue;
			assert_int_equal(rights_of(&walk), wanted.rights);
			assert_int_equal(walk.address, wanted.address);
		}
}

static unsigned any_rights(uint64_t *state)
{
	static const unsigned rights[] = {0, 1, 3, 5, 7};

	return rights[random_below(state, ARRAY_SIZE(rights))];
}

/* Only root entries that the change names differ in the pages that were tables before. Nothing has been
 * collected yet, so these are the first ones. */
static void check_untouched(const unsigned char *before, uint64_t pages,
			    const struct ept_change *change)
{
	const struct table_arena *arena = &fixture->scenario.arena;
	const unsigned char *now = arena->host;
	size_t differing = 0;

	for (uint64_t at = 0; at < pages * PAGE; at += 8) {
		bool named = false;

		if (memcmp(before + at, now + at, 8) == 0)
			continue;
		for (size_t i = 0; i < change->count && i < EPT_CHANGE_MAX; i++)
			named |= change->entries[i].v == arena->base.v + at;
		assert_true(named || change->count > EPT_CHANGE_MAX);
		differing++;
	}
	assert_int_equal(differing, change->count);
}

static void change_at_random(uint64_t *state, bool collected)
{
	struct view_policy *policy = &fixture->scenario.policy;
	const uint32_t view = (uint32_t)random_below(state, policy->view_count);
	const uint32_t region = (uint32_t)random_below(state, policy->region_count);
	const uint64_t pages = ept_live_pages(fixture->live);
	unsigned char *before = malloc(pages * PAGE);
	struct ept_change change = {.count = 1000};

	assert_non_null(before);
	memcpy(before, fixture->scenario.arena.host, pages * PAGE);
	assert_int_equal(policy_set_rights(policy, view, region, any_rights(state)), 0);
	assert_int_equal(ept_live_update(fixture->live, policy, view, region, &change), 0);
	if (!collected)
		check_untouched(before, pages, &change);
	free(before);
	/* The same again changes nothing. */
	assert_int_equal(ept_live_update(fixture->live, policy, view, region, &change), 0);
	assert_int_equal(change.count, 0);
}

/* After all changes the tables are those of a build from nothing: pages as large as they can be, and as
 * many tables. */
static void check_as_built(void)
{
	struct scenario *scenario = &fixture->scenario;
	struct table_arena arena = {
		.base = gpa_at(scenario->arena.base.v + scenario->arena.size / 2),
		.host = (char *)scenario->arena.host + scenario->arena.size / 2,
		.size = scenario->arena.size / 2,
	};
	const struct walk_memory memory = scenario_tables(scenario);
	struct ept_views *fresh = calloc(1, sizeof(*fresh));

	assert_non_null(fresh);
	assert_int_equal(ept_build(&scenario->policy, &scenario->target, &arena, fresh, NULL), 0);
	for (size_t view = 0; view < fresh->count; view++) {
		for (size_t i = 0; i < fixture->edge_count; i++) {
			const uint64_t at = fixture->edges[i];
			const struct walk got = scenario_walk(scenario, &fixture->views, view, at);
			const struct walk wanted = scenario_walk(scenario, fresh, view, at);

			assert_int_equal(got.page_size, wanted.page_size);
			assert_int_equal(got.suppressed, wanted.suppressed);
		}
		assert_int_equal(walk_count_tables(&memory, fixture->views.view[view].root.v),
				 walk_count_tables(&memory, fresh->view[view].root.v));
	}
	free(fresh);
}

static void run_one(uint64_t seed, enum paging_format_id format)
{
	const struct paging_caps caps = {.has_2m = seed & 1, .has_1g = seed & 2,
					 .ad_bits = seed & 4, .ve = seed & 8, .maxphyaddr = 46};
	uint64_t state = seed + 77;

	setup(NULL);
	scenario_init(&fixture->scenario, format, caps);
	scenario_randomize(&fixture->scenario, &state);
	fixture->edge_count = scenario_edges(&fixture->scenario, fixture->edges, EDGES_MAX);
	create();
	for (unsigned i = 0; i < CHANGES && fixture->scenario.policy.region_count > 0; i++) {
		const bool second_half = i >= CHANGES / 2;

		change_at_random(&state, second_half);
		if (second_half && i % 3 == 0)
			ept_live_collect(fixture->live);
		for (size_t view = 0; view < fixture->views.count; view++)
			check_view(view);
	}
	check_as_built();
	teardown(NULL);
	setup(NULL);
}

static void random_changes(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < SCENARIOS; seed++) {
		teardown(NULL);
		fixture = NULL;
		run_one(seed, seed % 2 ? PAGING_EPT : PAGING_NPT);
	}
}

/* Regions of two pages each in four views that begin equal, and little room for tables. */
static void small(enum paging_format_id format, uint64_t pages)
{
	struct scenario *scenario = &fixture->scenario;
	char name[16];

	scenario_init(scenario, format, (struct paging_caps){.has_2m = true, .maxphyaddr = 46});
	scenario_add_memory(scenario, 0, UINT64_C(64) << 20);
	for (unsigned i = 0; i < MANY_REGIONS; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		assert_int_equal(policy_add_region(&scenario->policy, name,
						   gpa_at(i * (UINT64_C(2) << 20) + i * PAGE),
						   2 * PAGE, NULL), 0);
	}
	for (unsigned i = 0; i < MANY_VIEWS; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		assert_int_equal(policy_add_view(&scenario->policy, name, VIEW_RIGHTS_ALL, NULL), 0);
	}
	scenario->arena.size = pages * PAGE;
	create();
	fixture->edge_count = scenario_edges(scenario, fixture->edges, EDGES_MAX);
}

/* Equal views have roots of their own, and nothing else of their own. */
static void own_roots(void **unused)
{
	(void)unused;
	small(PAGING_EPT, SMALL_ARENA);
	for (size_t i = 0; i < MANY_VIEWS; i++) {
		assert_int_equal(fixture->views.view[i].own, i == 0 ? 3 : 1);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(fixture->views.view[i].root.v,
					     fixture->views.view[j].root.v);
	}
}

static void any_number_of_changes(void **unused)
{
	uint64_t state = 1, collections = 0;

	(void)unused;
	small(PAGING_NPT, SMALL_ARENA);
	for (unsigned i = 0; i < MANY; i++) {
		struct view_policy *policy = &fixture->scenario.policy;
		const uint32_t view = i % MANY_VIEWS;
		const uint32_t region = (uint32_t)random_below(&state, MANY_REGIONS);
		struct ept_change change;
		int result;

		assert_int_equal(policy_set_rights(policy, view, region, any_rights(&state)), 0);
		result = ept_live_update(fixture->live, policy, view, region, &change);
		if (result == -ENOSPC) {
			collections++;
			ept_live_collect(fixture->live);
			result = ept_live_update(fixture->live, policy, view, region, &change);
		}
		assert_int_equal(result, 0);
		if (i % 20000 == 0)
			check_view(view);
	}
	for (size_t view = 0; view < MANY_VIEWS; view++)
		check_view(view);
	assert_true(collections > 100);
}

/* A change for which there is no room, even after a collection, leaves the view as it was. */
static void no_room(void **unused)
{
	struct ept_change change = {.count = 77};
	struct view_policy *policy;
	struct view *failed;
	unsigned made = 0;
	int result = 0;

	(void)unused;
	small(PAGING_EPT, 40);
	policy = &fixture->scenario.policy;
	/* Tables that all stay in use: each view splits another region's page. */
	while (result == 0 && made < MANY_VIEWS * MANY_REGIONS) {
		const uint32_t view = made % MANY_VIEWS, region = made / MANY_VIEWS;

		assert_int_equal(policy_set_remap(policy, view, region,
						  gpa_at((made + 1) * PAGE)), 0);
		result = ept_live_update(fixture->live, policy, view, region, &change);
		if (result == -ENOSPC) {
			ept_live_collect(fixture->live);
			result = ept_live_update(fixture->live, policy, view, region, &change);
		}
		made++;
	}
	assert_true(made > MANY_VIEWS);
	assert_int_equal(result, -ENOSPC);
	failed = &policy->views[(made - 1) % MANY_VIEWS];
	failed->rules[failed->rule_count - 1].remapped = false;
	for (size_t view = 0; view < MANY_VIEWS; view++)
		check_view(view);
	assert_int_equal(ept_live_update(fixture->live, policy, MANY_VIEWS, 0, &change), -ENOENT);
	assert_int_equal(ept_live_update(fixture->live, policy, 0, MANY_REGIONS, &change), -ENOENT);
}

/* A region under more root entries than a change names: all are rewritten, and counted. */
static void wide_change(void **unused)
{
	const uint64_t entry = UINT64_C(1) << 39, count = EPT_CHANGE_MAX + 2;
	struct scenario *scenario = &fixture->scenario;
	const struct paging_caps caps = {.has_2m = true, .has_1g = true, .maxphyaddr = 46};
	struct ept_change change = {.count = 77};

	(void)unused;
	scenario_init(scenario, PAGING_EPT, caps);
	scenario_add_memory(scenario, entry, (count + 1) * entry);
	assert_int_equal(policy_add_region(&scenario->policy, "wide", gpa_at(entry), count * entry,
					   NULL), 0);
	assert_int_equal(policy_add_view(&scenario->policy, "view", VIEW_RIGHTS_ALL, NULL), 0);
	fixture->edge_count = scenario_edges(scenario, fixture->edges, EDGES_MAX);
	create();
	check_view(0);
	assert_int_equal(policy_set_rights(&scenario->policy, 0, 0, VIEW_READ), 0);
	assert_int_equal(ept_live_update(fixture->live, &scenario->policy, 0, 0, &change), 0);
	assert_int_equal(change.count, count);
	for (size_t i = 0; i < EPT_CHANGE_MAX; i++)
		assert_int_equal(change.entries[i].v & 0xfff, 8 * (i + 1));
	check_view(0);
}

/* Memory of 16 MiB with a region of two pages, and around it; no rights to the region. */
static void one_region(struct paging_caps caps)
{
	struct scenario *scenario = &fixture->scenario;

	scenario_init(scenario, PAGING_EPT, caps);
	scenario_add_memory(scenario, 0, UINT64_C(16) << 20);
	assert_int_equal(policy_add_region(&scenario->policy, "r", gpa_at(5 * PAGE), 2 * PAGE, NULL), 0);
	assert_int_equal(policy_add_view(&scenario->policy, "v", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_set_rights(&scenario->policy, 0, 0, 0), 0);
	fixture->edge_count = scenario_edges(scenario, fixture->edges, EDGES_MAX);
}

static void change_rights(unsigned rights)
{
	struct view_policy *policy = &fixture->scenario.policy;
	struct ept_change change;

	assert_int_equal(policy_set_rights(policy, 0, 0, rights), 0);
	assert_int_equal(ept_live_update(fixture->live, policy, 0, 0, &change), 0);
	check_view(0);
}

/* Whatever the rights become, and whatever is around it, what they forbid stays #VE or stays an exit. */
static void changes_of_rights_keep_ve(void **unused)
{
	static const unsigned rights[] = {1, 0, 7, 0, 5, 3, 1, 7};

	(void)unused;
	for (int ve = 0; ve < 2; ve++) {
		one_region((struct paging_caps){.has_2m = true, .ve = true, .maxphyaddr = 46});
		fixture->scenario.policy.views[0].ve = !ve;
		assert_int_equal(policy_set_ve(&fixture->scenario.policy, 0, 0, ve), 0);
		create();
		check_view(0);
		for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
			struct walk inside, behind;

			change_rights(rights[i]);
			inside = scenario_walk(&fixture->scenario, &fixture->views, 0, 6 * PAGE);
			behind = scenario_walk(&fixture->scenario, &fixture->views, 0, 7 * PAGE);
			assert_int_equal(inside.status, rights[i] ? WALK_MAPPED : WALK_NOT_PRESENT);
			assert_int_equal(inside.suppressed, !ve);
			assert_int_equal(behind.suppressed, ve);
		}
		check_as_built();
		teardown(NULL);
		setup(NULL);
	}
}

/* A caller that says so all the same, of a target that has no #VE, gets the tables that it would have got. */
static void ve_that_there_is_not(void **unused)
{
	struct walk walk;

	(void)unused;
	one_region((struct paging_caps){.has_2m = true, .maxphyaddr = 46});
	create();
	assert_int_equal(policy_set_ve(&fixture->scenario.policy, 0, 0, true), 0);
	change_rights(VIEW_READ);
	change_rights(0);
	walk = scenario_walk(&fixture->scenario, &fixture->views, 0, 5 * PAGE);
	assert_int_equal(walk.status, WALK_NOT_PRESENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(own_roots, setup, teardown),
		cmocka_unit_test_setup_teardown(any_number_of_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(wide_change, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_of_rights_keep_ve, setup, teardown),
		cmocka_unit_test_setup_teardown(ve_that_there_is_not, setup, teardown),
	};

	return cmocka_run_group_tests_name("ept_live", tests, NULL, NULL);
}
