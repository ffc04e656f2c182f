/* SPDX-License-Identifier: GPL-2.0-only */
/* Rights changed in the tables of a view as they are: what the tables say after each change, that nobody else's have
 * moved, and that it takes the pages it has to and no more. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "effect.h"
#include "ept_edit.h"
#include "ept_live.h"
#include "scenario.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define EDGES_MAX 64
#define POOL 2048u

/* Scenarios of each combination of capabilities, and what is done with one. */
#define CAPABILITIES 24
#define ROUNDS 8
#define EDITS 12
#define TOGGLES 1000
#define TOGGLED_SCENARIOS 12

/* An edit that may change no table. */
#define NOBODY UINT16_MAX

struct fixture {
	struct scenario scenario;
	struct ept_views views;
	struct ept_edit edit;
	uint16_t owners[POOL]; /* of the pages taken: the view whose edit took each */
	unsigned char *tables; /* as they were built */
	unsigned char *pool;
	size_t table_count;
	uint64_t seed;
	/* All tables, those of the pool last, as they were at a time; and how many of the pool there were. */
	unsigned char *copy;
	uint32_t copied;
	uint64_t edges[EDGES_MAX];
	size_t edge_count;
};

static struct fixture fixture;

/* The tables of the scenario, with a pool of so many pages before them, or behind them if there are none. The walker
 * looks at both. */
static void create(uint32_t before)
{
	struct scenario *scenario = &fixture.scenario;
	const struct table_arena whole = scenario->arena;
	struct table_arena arena = whole;
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
	struct ept_live *live = NULL;
	uint64_t pool;

	arena.base.v += before * PAGE;
	arena.host = (unsigned char *)arena.host + before * PAGE;
	arena.size -= before * PAGE;
	/* Roots are a view's own, as an edit asks. */
	if (ept_live_create(&scenario->policy, &scenario->target, &arena, &fixture.views, &live, &error) != 0)
		fail_msg("seed %llu: %s", (unsigned long long)fixture.seed, policy_error_text(error.kind));
	fixture.table_count = ept_live_pages(live);
	ept_live_destroy(live);
	pool = before ? whole.base.v : arena.base.v + fixture.table_count * PAGE;
	scenario->arena.used = whole.size;
	fixture.tables = arena.host;
	fixture.pool = (unsigned char *)whole.host + (pool - whole.base.v);
	fixture.copy = malloc((fixture.table_count + POOL) * PAGE);
	assert_non_null(fixture.copy);
	fixture.edit = (struct ept_edit){
		.format = scenario->target.format,
		.caps = &scenario->target.caps,
		.shift = (uint64_t)(uintptr_t)whole.host - whole.base.v,
		.pool = pool,
		.pages = before ? before : POOL,
	};
	fixture.edge_count = scenario_edges(scenario, fixture.edges, EDGES_MAX);
}

static void destroy(void)
{
	scenario_finish(&fixture.scenario);
	free(fixture.copy);
	fixture = (struct fixture){0};
}

static unsigned char *table(size_t i)
{
	return i < fixture.table_count ? fixture.tables + i * PAGE : fixture.pool + (i - fixture.table_count) * PAGE;
}

static void remember(void)
{
	fixture.copied = fixture.edit.taken;
	for (size_t i = 0; i < fixture.table_count + fixture.copied; i++)
		memcpy(fixture.copy + i * PAGE, table(i), PAGE);
}

/* Of the tables there were, only the view's root and those that are its own may differ. */
static void check_untouched(uint16_t view)
{
	const uint64_t base = fixture.scenario.arena.base.v;
	const unsigned char *host = fixture.scenario.arena.host;

	for (size_t i = 0; i < fixture.table_count + fixture.copied; i++) {
		const bool own = i < fixture.table_count
					 ? view != NOBODY && fixture.views.view[view].root.v - base ==
								     (uint64_t)(table(i) - host)
					 : fixture.owners[i - fixture.table_count] == view;

		if (!own && memcmp(table(i), fixture.copy + i * PAGE, PAGE) != 0)
			fail_msg("seed %llu: table %zu of %zu is not for view %u to change",
				 (unsigned long long)fixture.seed, i, fixture.table_count, view);
	}
}

static unsigned rights_of(const struct walk *walk)
{
	return (walk->read ? 1u : 0) | (walk->write ? 2u : 0) | (walk->execute ? 4u : 0);
}

static void check_address(uint32_t view, uint64_t at)
{
	const struct scenario *scenario = &fixture.scenario;
	const bool inside = layout_contains(&scenario->target.memory, gpa_at(at), 1);
	const struct view_effect effect = inside ? policy_effect(&scenario->policy, view, gpa_at(at))
						 : (struct view_effect){0};
	const struct walk walk = scenario_walk(scenario, &fixture.views, view, at);
	const unsigned rights = walk.status == WALK_MAPPED ? rights_of(&walk) : 0;
	const bool suppressed = scenario_has_ve(scenario) && !effect.ve;

	if (walk.status == WALK_BAD || rights != effect.rights || walk.suppressed != suppressed ||
	    (rights && walk.address != effect.target.v + scenario->target.offset))
		fail_msg("seed %llu view %u address %llx: %s, rights %x instead of %x, suppressed %d, shows %llx",
			 (unsigned long long)fixture.seed, view, (unsigned long long)at, walk.why ? walk.why : "",
			 rights, effect.rights, walk.suppressed, (unsigned long long)walk.address);
	if (rights && (scenario->npt || !scenario->target.caps.ad_bits))
		assert_true(walk.flags_set);
}

static void check_views(uint64_t *state)
{
	const uint64_t limit = UINT64_C(1) << 48;

	for (uint32_t view = 0; view < fixture.views.count; view++) {
		for (size_t i = 0; i < fixture.edge_count; i++) {
			const uint64_t edge = fixture.edges[i];

			if (edge < limit)
				check_address(view, edge);
			if (edge > 0)
				check_address(view, edge - 1);
			if (i % 2 == 0)
				check_address(view, edge + random_below(state, fixture.edges[i + 1] - edge));
		}
		check_address(view, random_below(state, limit));
	}
}

/* What the policy says of a region, for an edit to make it so. */
static struct ept_edit_region region_of(uint32_t view, uint32_t index)
{
	const struct view_policy *policy = &fixture.scenario.policy;
	const struct view_region *region = &policy->regions[index];
	const struct view_effect effect = policy_effect(policy, view, region->gpa);

	return (struct ept_edit_region){
		.root = fixture.views.view[view].root.v,
		.rights = effect.rights,
		.ve = effect.ve,
		.start = region->gpa.v,
		.size = region->size,
		.shown = effect.target.v + fixture.scenario.target.offset,
	};
}

static uint16_t view_of(const struct ept_edit_region *region)
{
	uint16_t view = 0;

	while (fixture.views.view[view].root.v != region->root)
		view++;
	return view;
}

/* Given one page more each time until they suffice: all have been taken then, and before nothing had changed. Returns
 * how many it took. */
static uint32_t edit_with_few(const struct ept_edit_region *region)
{
	struct ept_edit *edit = &fixture.edit;
	const uint16_t view = view_of(region);
	const uint32_t taken = edit->taken;

	remember();
	for (edit->pages = taken;; edit->pages++) {
		const struct ept_edit before = *edit;
		const int result = ept_edit(edit, region);

		assert_true(edit->pages <= POOL);
		if (result == 0)
			break;
		assert_int_equal(result, -ENOSPC);
		assert_memory_equal(edit, &before, sizeof(before));
		check_untouched(NOBODY);
	}
	assert_int_equal(edit->taken, edit->pages);
	check_untouched(view);
	for (uint32_t i = taken; i < edit->taken; i++)
		fixture.owners[i] = view;
	return edit->taken - taken;
}

/* What the policy says then. */
static struct ept_edit_region set_rights(uint32_t view, uint32_t region, unsigned rights)
{
	assert_int_equal(policy_set_rights(&fixture.scenario.policy, view, region, rights), 0);
	return region_of(view, region);
}

static void edit_at_random(uint64_t *state)
{
	static const unsigned rights[] = {0, 1, 3, 5, 7, 4};
	const struct scenario *scenario = &fixture.scenario;
	const uint32_t view = (uint32_t)random_below(state, scenario->policy.view_count);
	const uint32_t index = (uint32_t)random_below(state, scenario->policy.region_count);
	const bool exec_only = !scenario->npt && scenario->target.caps.exec_only;
	struct ept_edit_region region;

	region = set_rights(view, index, rights[random_below(state, exec_only ? 6 : 5)]);
	edit_with_few(&region);
	/* The same again changes nothing. */
	remember();
	assert_int_equal(ept_edit(&fixture.edit, &region), 0);
	check_untouched(NOBODY);
}

/* Memory that lies elsewhere, as a guest's below the bare monitor does: by large pages, or by what spoils them if that
 * does not take too many tables. */
static void move(struct scenario *scenario, uint64_t *state)
{
	const struct guest_memory *memory = &scenario->target.memory;
	uint64_t size = 0, offset = random_below(state, 64) * 2 * MIB;

	for (size_t i = 0; i < memory->count; i++)
		size += memory->ranges[i].size;
	if (size <= 64 * MIB && random_below(state, 2))
		offset += random_below(state, 512) * PAGE;
	if (layout_end(memory).v + offset > UINT64_C(1) << scenario->target.caps.maxphyaddr)
		return;
	scenario->target.moved = UINT64_C(1) << 52;
	scenario->target.offset = offset;
}

/* A random policy and its tables; false if it has no region. */
static bool start(uint64_t seed, uint64_t *state)
{
	static const uint8_t widths[] = {36, 39, 46, 48, 52};
	const unsigned set = (unsigned)(seed / 2 % CAPABILITIES);
	struct scenario *scenario = &fixture.scenario;

	*state = seed;
	fixture.seed = seed;
	/* No processor has pages of 1 GiB but none of 2 MiB. */
	scenario_init(scenario, seed % 2 ? PAGING_NPT : PAGING_EPT,
		      (struct paging_caps){
			      .has_2m = set % 3 > 0,
			      .has_1g = set % 3 > 1,
			      .exec_only = set / 3 & 1,
			      .ad_bits = set / 3 & 2,
			      .ve = set / 3 & 4,
			      .maxphyaddr = widths[random_below(state, ARRAY_SIZE(widths))],
		      });
	scenario_randomize(scenario, state);
	move(scenario, state);
	create(random_below(state, 2) ? POOL : 0);
	return scenario->policy.region_count > 0;
}

static void edits_agree(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < 2 * CAPABILITIES * ROUNDS; seed++) {
		uint64_t state;
		const bool some = start(seed, &state);

		check_views(&state);
		for (unsigned i = 0; some && i < EDITS; i++) {
			edit_at_random(&state);
			check_views(&state);
		}
		destroy();
	}
}

static void edit_to(uint32_t view, uint32_t index, unsigned rights)
{
	const struct ept_edit_region region = set_rights(view, index, rights);

	assert_int_equal(ept_edit(&fixture.edit, &region), 0);
}

/* Once every view has shown every region, whatever becomes of them takes no page. */
static void toggling_takes_nothing(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < TOGGLED_SCENARIOS; seed++) {
		const struct view_policy *policy = &fixture.scenario.policy;
		uint64_t state;
		const bool some = start(seed, &state);
		const uint32_t views = (uint32_t)policy->view_count, regions = (uint32_t)policy->region_count;

		for (uint32_t i = 0; i < views * regions; i++)
			edit_to(i % views, i / views, VIEW_RIGHTS_ALL);
		fixture.edit.pages = fixture.edit.taken;
		for (unsigned i = 0; some && i < TOGGLES; i++) {
			const uint32_t view = (uint32_t)random_below(&state, views);

			edit_to(view, (uint32_t)random_below(&state, regions), i % 2 ? VIEW_RIGHTS_ALL : 0);
		}
		check_views(&state);
		destroy();
	}
}

/* One after the other in the first of two equal views of 1 TiB, and one more that shows nothing. */
static const struct known {
	uint32_t view;
	uint64_t start, size;
	uint64_t further; /* what is shown at the start lies so much behind it */
	unsigned rights;
	uint32_t pages;	    /* that it takes */
	uint64_t page_size; /* at the start */
} known[] = {
	{0, GIB, GIB, 0, 1, 1, GIB},			   /* the table of 1 GiB pages */
	{0, 0, 3 * GIB, 0, 5, 0, GIB},			   /* is its own now */
	{0, 2 * GIB, 2 * MIB, 0, 1, 1, 2 * MIB},	   /* a page of 1 GiB divided */
	{0, 2 * GIB + 2 * MIB - PAGE, 2 * PAGE, 0, 3, 2, PAGE}, /* two of 2 MiB */
	{0, 2 * GIB, 2 * MIB, 0, 7, 0, PAGE},		   /* stays divided */
	{0, 2 * GIB, GIB, 0, 1, 0, PAGE},
	{0, 2 * GIB + 4 * MIB, 4 * MIB, 2 * MIB, 7, 0, 2 * MIB},
	{0, 2 * GIB + 4 * MIB, 4 * MIB, PAGE, 7, 2, PAGE}, /* no large page shows that */
	{0, 3 * GIB, GIB, 2 * MIB, 7, 1, 2 * MIB},
	{0, 512 * GIB, 512 * GIB, 0, 0, 1, GIB},	   /* a table stays one */
	{1, GIB, GIB, 0, 1, 1, GIB},			   /* which is not shared with the other view */
	{1, GIB, GIB, 0, 7, 0, GIB},
	{2, 0, 1024 * GIB, 0, 0, 0, 512 * GIB},		   /* nothing needs no table */
	{2, 512 * GIB, 512 * GIB, 0, 7, 1, GIB},
	{2, 511 * GIB, GIB, 0, 7, 1, GIB},
	{2, PAGE, PAGE, 0, 7, 2, PAGE},
};

static void check_known(const struct known *one)
{
	const struct scenario *scenario = &fixture.scenario;
	const uint64_t at[] = {one->start, one->start + one->size - 1};

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		const struct walk walk = scenario_walk(scenario, &fixture.views, one->view, at[i]);

		assert_int_equal(walk.status, one->rights ? WALK_MAPPED : WALK_NOT_PRESENT);
		if (i == 0)
			assert_int_equal(walk.page_size, one->page_size);
		if (one->rights == 0)
			continue;
		assert_int_equal(rights_of(&walk), one->rights);
		assert_int_equal(walk.address, at[i] + one->further);
	}
}

static struct ept_edit_region region_known(const struct known *one)
{
	return (struct ept_edit_region){
		.root = fixture.views.view[one->view].root.v,
		.rights = one->rights,
		.start = one->start,
		.size = one->size,
		.shown = one->start + one->further,
	};
}

static uint32_t edit_known(const struct known *one)
{
	const struct ept_edit_region region = region_known(one);

	return edit_with_few(&region);
}

static void create_known(uint32_t before)
{
	struct scenario *scenario = &fixture.scenario;

	scenario_init(scenario, PAGING_EPT, (struct paging_caps){.has_2m = true, .has_1g = true, .maxphyaddr = 46});
	scenario->arena.base = gpa_at(UINT64_C(1) << 45);
	scenario_add_memory(scenario, 0, 1024 * GIB);
	assert_int_equal(policy_add_view(&scenario->policy, "one", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&scenario->policy, "equal", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&scenario->policy, "nothing", 0, NULL), 0);
	create(before);
}

static void takes_what_it_has_to(void **unused)
{
	(void)unused;
	create_known(0);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_int_equal(edit_known(&known[i]), known[i].pages);
		check_known(&known[i]);
	}
	destroy();
}

/* What follows a pool that is used up is no page of it. */
static void knows_where_its_pool_ends(void **unused)
{
	const struct known first = {0, 512 * GIB, GIB, 0, 3, 1, GIB}, next = {0, GIB, GIB, 0, 3, 0, GIB};
	struct ept_edit_region region;

	(void)unused;
	create_known(1);
	region = region_known(&next);
	assert_int_equal(edit_known(&first), first.pages);
	remember();
	assert_int_equal(ept_edit(&fixture.edit, &region), -ENOSPC);
	check_untouched(NOBODY);
	destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_agree),
		cmocka_unit_test(toggling_takes_nothing),
		cmocka_unit_test(takes_what_it_has_to),
		cmocka_unit_test(knows_where_its_pool_ends),
	};

	return cmocka_run_group_tests_name("ept_edit", tests, NULL, NULL);
}
