/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ept.h"
#include "walker.h"

#define SCENARIO_RANGES 4
#define SCENARIO_ARENA_BASE (UINT64_C(1) << 35)
#define SCENARIO_ARENA_SIZE (UINT64_C(80) << 20)

/* Reproducible random numbers: the same seed gives the same scenario. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t limit);

/* A policy with what it is built for and where. */
struct scenario {
	struct gpa_range ranges[SCENARIO_RANGES];
	struct view_target target;
	struct view_policy policy;
	struct table_arena arena;
	bool npt;
};

/*
 * Prepares a scenario with no memory and no policy. The first pages of the
 * arena are not zero, so that entries that nobody wrote show.
 */
void scenario_init(struct scenario *scenario, enum paging_format_id format,
		   struct paging_caps caps);
void scenario_finish(struct scenario *scenario);

void scenario_add_memory(struct scenario *scenario, uint64_t start,
			 uint64_t size);

/* Fills in memory, regions and views at random; the result is valid. */
void scenario_randomize(struct scenario *scenario, uint64_t *state);

/* Whether the target knows #VE. */
bool scenario_has_ve(const struct scenario *scenario);

/* What the policy says about an address, found by looking at every region. */
struct expectation {
	bool mapped;
	bool ve; /* what the rights forbid is #VE; never outside of guest memory */
	unsigned rights;
	uint64_t address;
};

struct expectation scenario_expect(const struct scenario *scenario,
				   size_t view, uint64_t address);

/* What the tables say. */
struct walk scenario_walk(const struct scenario *scenario,
			  const struct ept_views *views, size_t view,
			  uint64_t address);

/*
 * Addresses where something begins or ends, ascending or not, duplicates
 * possible. Returns how many there are, at most capacity.
 */
size_t scenario_edges(const struct scenario *scenario, uint64_t *ret_edges,
		      size_t capacity);

struct walk_memory scenario_tables(const struct scenario *scenario);

#endif
