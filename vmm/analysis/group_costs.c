/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/group_costs.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/analysis/observed.h"

int group_costs_create(struct group_costs *costs, size_t groups, size_t all)
{
	*costs = (struct group_costs){
		.costs = calloc(all + 1, sizeof(*costs->costs)),
		.begins = calloc(groups + 1, sizeof(*costs->begins)),
		.ends = calloc(groups + 1, sizeof(*costs->ends)),
	};
	return costs->costs && costs->begins && costs->ends ? 0 : -ENOMEM;
}

void group_costs_finish(struct group_costs *costs)
{
	free(costs->costs);
	free(costs->begins);
	free(costs->ends);
	*costs = (struct group_costs){0};
}

void group_costs_room(struct group_costs *costs, size_t count)
{
	size_t number = costs->count++;

	costs->ends[number] = costs->begins[number];
	costs->begins[number + 1] = costs->begins[number] + count;
}

void group_costs_add(struct group_costs *costs, size_t number, uint32_t cost)
{
	if (observed_cost(cost) && costs->ends[number] < costs->begins[number + 1])
		costs->costs[costs->ends[number]++] = cost;
}

/* The value that so many others come before, if they are in order. It is found byte by byte from the highest, which
 * takes the same time whatever the values are: a ledger that was made up does not make it long. */
static uint32_t value_at(const uint32_t *values, size_t count, size_t before)
{
	uint32_t found = 0, known = 0;

	for (unsigned shift = 32; shift > 0;) {
		size_t counts[256] = {0};
		uint32_t byte = 0;

		shift -= 8;
		for (size_t i = 0; i < count; i++)
			if ((values[i] & known) == found)
				counts[values[i] >> shift & 0xff]++;
		while (before >= counts[byte])
			before -= counts[byte++];
		found |= byte << shift;
		known |= UINT32_C(0xff) << shift;
	}
	return found;
}

uint32_t group_costs_percentile(const struct group_costs *costs, size_t number, unsigned percent)
{
	size_t count = costs->ends[number] - costs->begins[number];

	/* As of the samples of an operation; in whole numbers, so that no rounding moves the rank. */
	return count ? value_at(costs->costs + costs->begins[number], count, (count * percent + 99) / 100 - 1) : 0;
}
