/* SPDX-License-Identifier: GPL-2.0-only */
/* How long handling took, of every exit of some groups: for numbers that a sum does not tell. */
#ifndef VMM_ANALYSIS_GROUP_COSTS_H
#define VMM_ANALYSIS_GROUP_COSTS_H

#include <stddef.h>
#include <stdint.h>

struct group_costs {
	uint32_t *costs; /* in ticks, those of a group side by side */
	size_t *begins;  /* by group: where its own begin; one more than there are groups */
	size_t *ends;    /* by group: where those end that are known by now */
	size_t count;    /* of groups that have been given room */
};

/* Room for so many groups and, of all of them, costs. Returns 0 or -ENOMEM; group_costs_finish() is due either way. */
int group_costs_create(struct group_costs *costs, size_t groups, size_t all);
void group_costs_finish(struct group_costs *costs);

/* The next group has room for so many. */
void group_costs_room(struct group_costs *costs, size_t count);

/* One exit of a group, by its number from 0. What was not observed does not count, nor what there is no room for: a file
 * that changes while it is read may say something else the second time. */
void group_costs_add(struct group_costs *costs, size_t number, uint32_t cost);

/* What so many percent of a group's costs did not exceed, from 1 to 100, by nearest rank; 0 if none is known. */
uint32_t group_costs_percentile(const struct group_costs *costs, size_t number, unsigned percent);

#endif
