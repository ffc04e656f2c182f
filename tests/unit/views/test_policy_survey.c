/* SPDX-License-Identifier: GPL-2.0-only */
/* What views see and share, against looking at every page. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effect.h"
#include "policy_soften.h"
#include "policy_survey.h"
#include "scenario.h"
#include "view_map.h"

#define PAGE UINT64_C(0x1000)
#define PAGES 48
#define VIEWS 4

/* Two ranges that touch, a hole, and a third. */
static const struct gpa_range ranges[] = {
	{ { 0 }, 10 * PAGE },
	{ { 10 * PAGE }, 10 * PAGE },
	{ { 30 * PAGE }, 18 * PAGE },
};
static const struct view_target target = {
	.memory = { ranges, ARRAY_SIZE(ranges) },
	.format = &paging_formats[PAGING_EPT],
	.caps = { .maxphyaddr = 46 },
};

static bool is_memory(uint64_t page)
{
	return page < 20 || (page >= 30 && page < PAGES);
}

static unsigned random_rights(uint64_t *seed)
{
	static const unsigned rights[] = { 0, 1, 3, 5, 7 };

	return rights[random_below(seed, ARRAY_SIZE(rights))];
}

static void randomize(struct view_policy *policy, uint64_t *seed)
{
	static const char *const names[VIEWS] = { "a", "b", "c", "d" };
	uint64_t page = 0;
	char name[16];

	*policy = (struct view_policy){ 0 };
	while (page < PAGES) {
		const uint64_t pages = 1 + random_below(seed, 4);
		const bool fits = is_memory(page) && is_memory(page + pages - 1) &&
				  (page + pages <= 20 || page >= 30);

		snprintf(name, sizeof(name), "r%u", (unsigned)page);
		if (fits && random_below(seed, 2))
			assert_int_equal(policy_add_region(policy, name,
							   gpa_at(page * PAGE),
							   pages * PAGE, NULL),
					 0);
		page += pages;
	}
	for (uint32_t v = 0; v < VIEWS; v++) {
		assert_int_equal(policy_add_view(policy, names[v],
						 random_rights(seed), NULL), 0);
		for (uint32_t r = 0; r < policy->region_count; r++) {
			if (random_below(seed, 2))
				policy_set_rights(policy, v, r,
						  random_rights(seed));
			if (random_below(seed, 3) == 0)
				policy_set_remap(policy, v, r,
						 gpa_at(random_below(seed, 17) *
							PAGE));
		}
	}
	assert_int_equal(policy_validate(policy, &target, NULL), 0);
}

/* What a view can do with each page of memory, under any address. */
static void reach(const struct view_policy *policy, uint32_t view,
		  unsigned rights[PAGES])
{
	memset(rights, 0, PAGES * sizeof(*rights));
	for (uint64_t page = 0; page < PAGES; page++) {
		const struct view_effect effect =
			policy_effect(policy, view, gpa_at(page * PAGE));

		if (is_memory(page))
			rights[effect.target.v / PAGE] |= effect.rights;
	}
}

static void check_totals(const struct view_policy *policy, uint32_t view,
			 const struct view_survey *found)
{
	uint64_t readable = 0, writable = 0, executable = 0;

	for (uint64_t page = 0; page < PAGES; page++) {
		const unsigned rights =
			is_memory(page) ?
				policy_effect(policy, view, gpa_at(page * PAGE))
					.rights :
				0;

		readable += rights & VIEW_READ ? PAGE : 0;
		writable += rights & VIEW_WRITE ? PAGE : 0;
		executable += rights & VIEW_EXECUTE ? PAGE : 0;
	}
	assert_int_equal(found->readable, readable);
	assert_int_equal(found->writable, writable);
	assert_int_equal(found->executable, executable);
}

static const struct shared_memory *shared_at(const struct policy_survey *survey,
					     uint64_t gpa)
{
	for (size_t i = 0; i < survey->shared_count; i++) {
		if (gpa >= survey->shared[i].gpa.v &&
		    gpa - survey->shared[i].gpa.v < survey->shared[i].size)
			return &survey->shared[i];
	}
	return NULL;
}

static void check_sharing(const struct view_policy *policy,
			  const struct policy_survey *survey)
{
	unsigned rights[VIEWS][PAGES];
	uint64_t shared[VIEWS] = { 0 };

	for (uint32_t v = 0; v < VIEWS; v++)
		reach(policy, v, rights[v]);
	for (uint64_t page = 0; page < PAGES; page++) {
		const struct shared_memory *found = shared_at(survey, page * PAGE);
		unsigned writers = 0, views = 0;

		for (uint32_t v = 0; v < VIEWS; v++) {
			writers += (rights[v][page] & VIEW_WRITE) != 0;
			views += rights[v][page] != 0;
		}
		assert_int_equal(found != NULL, writers > 0 && views > 1);
		for (uint32_t v = 0; found && v < VIEWS; v++) {
			const bool writes = rights[v][page] & VIEW_WRITE;

			assert_int_equal(view_set_has(&found->writers, v), writes);
			assert_int_equal(view_set_has(&found->readers, v),
					 !writes && rights[v][page] != 0);
			assert_int_equal(view_set_has(&found->executors, v),
					 (rights[v][page] & VIEW_EXECUTE) != 0);
			shared[v] += writes ? PAGE : 0;
		}
	}
	for (uint32_t v = 0; v < VIEWS; v++)
		assert_int_equal(survey->views[v].shared, shared[v]);
}

static void against_pages(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		struct policy_survey survey;
		struct view_policy policy;

		randomize(&policy, &seed);
		assert_int_equal(policy_survey(&survey, &policy, &target.memory), 0);
		for (uint32_t v = 0; v < VIEWS; v++)
			check_totals(&policy, v, &survey.views[v]);
		check_sharing(&policy, &survey);
		policy_survey_finish(&survey);
		policy_finish(&policy);
	}
}

/* Each page has the one piece that says what the policy says. */
static void map(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct view_policy policy;
		struct view_map view_map;

		randomize(&policy, &seed);
		assert_int_equal(view_map_init(&view_map, &policy,
					       &target.memory), 0);
		for (uint32_t v = 0; v < VIEWS; v++) {
			view_map_fill(&view_map, v);
			for (uint64_t at = 0; at < (PAGES + 2) * PAGE;
			     at += PAGE / 2) {
				const struct view_piece *piece =
					view_map_at(&view_map, at);
				const struct view_effect effect =
					policy_effect(&policy, v, gpa_at(at));

				assert_int_equal(piece != NULL,
						 is_memory(at / PAGE));
				if (!piece)
					continue;
				assert_int_equal(piece->rights, effect.rights);
				assert_int_equal(piece->shown + at - piece->start,
						 effect.target.v);
			}
		}
		view_map_finish(&view_map);
		policy_finish(&policy);
	}
}

static void note(void *data, const struct softening *softening)
{
	unsigned *count = data;

	assert_int_not_equal(softening->asked, softening->given);
	assert_int_equal(softening->asked & ~softening->given, 0);
	++*count;
}

/* Softened, every target takes every policy; what it took before stays. */
static void soften(void **state)
{
	static const struct paging_format *const formats[] = {
		&paging_formats[PAGING_EPT],
		&paging_formats[PAGING_NPT],
		&paging_slots,
	};
	/* The least that each can express and that has the bits of the index. */
	static const unsigned given[][8] = {
		{ 0, 1, 3, 3, 5, 5, 7, 7 },
		{ 0, 1, 3, 3, 5, 5, 7, 7 },
		{ 0, 5, 7, 7, 5, 5, 7, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (unsigned rights = 0; rights <= VIEW_RIGHTS_ALL; rights++) {
			struct view_target to = target;
			struct view_policy policy = { 0 };
			unsigned count = 0;

			to.format = formats[i];
			policy_add_region(&policy, "r", gpa_at(0), PAGE, NULL);
			policy_add_view(&policy, "v", rights, NULL);
			policy_set_rights(&policy, 0, 0, rights);
			policy_soften(&policy, &to, note, &count);
			assert_int_equal(policy.views[0].rights,
					 given[i][rights]);
			assert_int_equal(policy.views[0].rules[0].rights,
					 given[i][rights]);
			assert_int_equal(count,
					 given[i][rights] == rights ? 0 : 2);
			assert_int_equal(policy_validate(&policy, &to, NULL), 0);
			policy_finish(&policy);
		}
	}
}

static enum policy_error_kind nothing_at_all(unsigned rights, const struct paging_caps *caps)
{
	(void)rights;
	(void)caps;
	return POLICY_ERROR_EXECUTE_WITHHELD;
}

/* What no addition makes expressible is left as it was asked for. */
static void soften_in_vain(void **state)
{
	const struct paging_format nothing = { .name = "nothing", .check_rights = nothing_at_all };
	const struct view_target to = { .format = &nothing };
	struct view_policy policy = { 0 };
	unsigned count = 0;

	(void)state;
	policy_add_view(&policy, "v", VIEW_WRITE, NULL);
	policy_soften(&policy, &to, note, &count);
	assert_int_equal(policy.views[0].rights, VIEW_WRITE);
	assert_int_equal(count, 0);
	policy_finish(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_pages),
		cmocka_unit_test(map),
		cmocka_unit_test(soften),
		cmocka_unit_test(soften_in_vain),
	};

	return cmocka_run_group_tests_name("policy_survey", tests, NULL, NULL);
}
