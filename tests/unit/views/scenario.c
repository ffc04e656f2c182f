/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static void must(int result)
{
	if (result != 0)
		abort();
}

/* The splitmix64 generator. */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return random_next(state) % limit;
}

void scenario_init(struct scenario *scenario, enum paging_format_id format,
		   struct paging_caps caps)
{
	*scenario = (struct scenario){
		.target = {
			.format = &paging_formats[format],
			.caps = caps,
		},
		.arena = {
			.base = gpa_at(SCENARIO_ARENA_BASE),
			.size = SCENARIO_ARENA_SIZE,
		},
		.npt = format == PAGING_NPT,
	};
	/* Not malloc, which may be told to fill what it hands out. */
	scenario->arena.host = mmap(NULL, SCENARIO_ARENA_SIZE,
				    PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				    -1, 0);
	must(scenario->arena.host == MAP_FAILED);
	/* Enough for what small policies use; the rest costs only time. */
	memset(scenario->arena.host, 0xa5, 16 * PAGE);
}

void scenario_finish(struct scenario *scenario)
{
	policy_finish(&scenario->policy);
	munmap(scenario->arena.host, SCENARIO_ARENA_SIZE);
}

void scenario_add_memory(struct scenario *scenario, uint64_t start,
			 uint64_t size)
{
	struct guest_memory *memory = &scenario->target.memory;

	assert(memory->count < SCENARIO_RANGES);
	scenario->ranges[memory->count++] =
		(struct gpa_range){ gpa_at(start), size };
	memory->ranges = scenario->ranges;
}

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static uint64_t random_size(uint64_t *state, bool large)
{
	switch (random_below(state, large ? 6 : 4)) {
	case 0:
		return (1 + random_below(state, 8)) * PAGE;
	case 1:
		return (1 + random_below(state, 1024)) * PAGE;
	case 2:
		return (1 + random_below(state, 4)) * 2 * MIB;
	case 3:
		return (1 + random_below(state, 3)) * 2 * MIB +
		       random_below(state, 512) * PAGE;
	case 4:
		return (1 + random_below(state, 3)) * GIB;
	default:
		return random_below(state, 3) * GIB +
		       (1 + random_below(state, 512)) * 2 * MIB;
	}
}

static void random_memory(struct scenario *scenario, uint64_t *state)
{
	/* Start of memory and the width it needs. Around borders of tables. */
	static const struct {
		uint64_t start;
		unsigned bits;
	} origins[] = {
		{ 0, 36 },
		{ 0, 36 },
		{ PAGE, 36 },
		{ GIB - 3 * PAGE, 36 },
		{ 2 * GIB, 36 },
		{ 512 * GIB - 4 * MIB, 46 },
		{ 1024 * GIB, 46 },
		{ (UINT64_C(1) << 46) - 8 * MIB, 46 },
		{ (UINT64_C(1) << 48) - 16 * MIB, 52 },
	};
	const bool large = scenario->target.caps.has_2m;
	const unsigned width = scenario->target.caps.maxphyaddr;
	const uint64_t limit = UINT64_C(1) << (width < 48 ? width : 48);
	const size_t count = 1 + random_below(state, SCENARIO_RANGES);
	uint64_t at;
	size_t origin;

	do {
		origin = random_below(state, sizeof(origins) / sizeof(*origins));
	} while (origins[origin].bits > width);
	at = origins[origin].start;
	for (size_t i = 0; i < count; i++) {
		uint64_t size = random_size(state, large);

		if (at >= limit)
			break;
		if (size > limit - at)
			size = limit - at;
		scenario_add_memory(scenario, at, size);
		at += size;
		switch (random_below(state, 4)) {
		case 0:
			break;
		case 1:
			at += random_below(state, 600) * PAGE;
			break;
		case 2:
			at = round_up(at, 2 * MIB);
			break;
		default:
			at = round_up(at, GIB);
			break;
		}
	}
}

/* A page of guest memory, often at a border of what larger pages cover. */
static uint64_t random_page(const struct scenario *scenario, uint64_t *state)
{
	const struct guest_memory *memory = &scenario->target.memory;
	const struct gpa_range *range =
		&memory->ranges[random_below(state, memory->count)];
	uint64_t at = range->start.v +
		      random_below(state, range->size / PAGE) * PAGE;
	const uint64_t border = random_below(state, 2) ? 2 * MIB : GIB;

	if (random_below(state, 2) && at / border * border >= range->start.v)
		at = at / border * border;
	return at;
}

static bool in_memory(const struct scenario *scenario, uint64_t start,
		      uint64_t size)
{
	const struct guest_memory *memory = &scenario->target.memory;

	for (size_t i = 0; i < memory->count; i++) {
		const struct gpa_range *range = &memory->ranges[i];

		if (start >= range->start.v &&
		    start - range->start.v < range->size &&
		    size <= range->size - (start - range->start.v))
			return true;
	}
	return false;
}

static bool is_free(const struct scenario *scenario, uint64_t start,
		    uint64_t size)
{
	for (size_t i = 0; i < scenario->policy.region_count; i++) {
		const struct view_region *region = &scenario->policy.regions[i];

		if (start < region->gpa.v + region->size &&
		    region->gpa.v < start + size)
			return false;
	}
	return true;
}

static unsigned random_rights(const struct scenario *scenario, uint64_t *state)
{
	/* r, rw, rx, rwx, none; x where it can be expressed. */
	static const unsigned rights[] = { 1, 3, 5, 7, 0, 4 };
	const bool exec_only = !scenario->npt && scenario->target.caps.exec_only;

	return rights[random_below(state, exec_only ? 6 : 5)];
}

/* A large region that loses its large pages would fill the arena. */
static bool is_cheap_remap(const struct view_region *region, uint64_t target)
{
	return region->size <= 64 * MIB ||
	       (target - region->gpa.v) % (2 * MIB) == 0;
}

bool scenario_has_ve(const struct scenario *scenario)
{
	return !scenario->npt && scenario->target.caps.ve;
}

static void random_rules(struct scenario *scenario, uint32_t view,
			 uint64_t *state)
{
	struct view_policy *policy = &scenario->policy;

	for (uint32_t i = 0; i < policy->region_count; i++) {
		const uint64_t target = random_page(scenario, state);

		if (random_below(state, 3) == 0)
			continue;
		if (random_below(state, 4))
			must(policy_set_rights(policy, view, i,
					       random_rights(scenario, state)));
		if (scenario_has_ve(scenario) && random_below(state, 2))
			must(policy_set_ve(policy, view, i, random_below(state, 2)));
		if (random_below(state, 3) == 0 &&
		    is_cheap_remap(&policy->regions[i], target) &&
		    in_memory(scenario, target, policy->regions[i].size))
			must(policy_set_remap(policy, view, i, gpa_at(target)));
	}
}

void scenario_randomize(struct scenario *scenario, uint64_t *state)
{
	struct view_policy *policy = &scenario->policy;
	const uint64_t regions = random_below(state, 10);
	const uint64_t views = 1 + random_below(state, 6);
	char name[32];

	random_memory(scenario, state);
	for (uint64_t i = 0; i < regions; i++) {
		uint64_t start = random_page(scenario, state);
		uint64_t size = random_size(state, scenario->target.caps.has_2m);

		/* Sometimes right behind the last one. */
		if (policy->region_count && random_below(state, 3) == 0)
			start = policy->regions[policy->region_count - 1].gpa.v +
				policy->regions[policy->region_count - 1].size;
		while (size > PAGE && !in_memory(scenario, start, size))
			size = round_up(size / 2, PAGE);
		if (!in_memory(scenario, start, size) ||
		    !is_free(scenario, start, size))
			continue;
		snprintf(name, sizeof(name), "region%u", (unsigned)i);
		must(policy_add_region(policy, name, gpa_at(start), size, NULL));
	}
	for (uint64_t i = 0; i < views; i++) {
		uint32_t view;

		snprintf(name, sizeof(name), "view%u", (unsigned)i);
		must(policy_add_view(policy, name,
				     random_rights(scenario, state), &view));
		policy->views[view].ve = scenario_has_ve(scenario) &&
					 random_below(state, 2);
		random_rules(scenario, view, state);
	}
}

struct expectation scenario_expect(const struct scenario *scenario,
				   size_t view_index, uint64_t address)
{
	const struct view_policy *policy = &scenario->policy;
	const struct view *view = &policy->views[view_index];
	struct expectation expected = { .ve = view->ve,
					.rights = view->rights,
					.address = address };

	if (!in_memory(scenario, address, 1))
		return (struct expectation){ .mapped = false };
	for (size_t i = 0; i < view->rule_count; i++) {
		const struct view_rule *rule = &view->rules[i];
		const struct view_region *region =
			&policy->regions[rule->region];

		if (address < region->gpa.v ||
		    address - region->gpa.v >= region->size)
			continue;
		expected.rights = rule->rights;
		expected.ve = rule->ve;
		if (rule->remapped)
			expected.address =
				rule->target.v + (address - region->gpa.v);
	}
	expected.mapped = expected.rights != 0;
	return expected;
}

struct walk_memory scenario_tables(const struct scenario *scenario)
{
	return (struct walk_memory){
		.base = scenario->arena.base.v,
		.host = scenario->arena.host,
		.size = scenario->arena.used,
	};
}

struct walk scenario_walk(const struct scenario *scenario,
			  const struct ept_views *views, size_t view,
			  uint64_t address)
{
	const struct walk_memory memory = scenario_tables(scenario);
	const struct paging_caps *caps = &scenario->target.caps;
	const struct walk_caps walk_caps = {
		.page_2m = caps->has_2m,
		.page_1g = caps->has_1g,
		.exec_only = caps->exec_only,
		.ad = caps->ad_bits,
		.ve = caps->ve,
		.maxphyaddr = caps->maxphyaddr,
	};

	return scenario->npt ? walk_npt(&memory, &walk_caps,
					views->view[view].pointer, address) :
			       walk_ept(&memory, &walk_caps,
					views->view[view].pointer, address);
}

size_t scenario_edges(const struct scenario *scenario, uint64_t *ret_edges,
		      size_t capacity)
{
	const struct guest_memory *memory = &scenario->target.memory;
	const struct view_policy *policy = &scenario->policy;
	size_t count = 0;

	assert(capacity >= 2 * (memory->count + policy->region_count));
	for (size_t i = 0; i < memory->count; i++) {
		ret_edges[count++] = memory->ranges[i].start.v;
		ret_edges[count++] =
			memory->ranges[i].start.v + memory->ranges[i].size;
	}
	for (size_t i = 0; i < policy->region_count; i++) {
		ret_edges[count++] = policy->regions[i].gpa.v;
		ret_edges[count++] =
			policy->regions[i].gpa.v + policy->regions[i].size;
	}
	return count;
}
