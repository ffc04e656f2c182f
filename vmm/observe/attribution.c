/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/attribution.h"

#include <errno.h>
#include <stdlib.h>

static int by_start(const void *a, const void *b)
{
	const struct routine *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->operation > y->operation) - (x->operation < y->operation);
}

int attribution_create(struct attribution *places, const struct image *image)
{
	size_t unique = 0;

	*places = (struct attribution){.image = image};
	places->routines = calloc(image->operation_count + 1, sizeof(*places->routines));
	if (!places->routines)
		return -ENOMEM;
	for (size_t i = 0; i < image->operation_count; i++) {
		const struct ss_operation *op = &image->operations[i];

		/* An image need not say where its routines are. */
		if (op->entry < op->end)
			places->routines[places->count++] =
				(struct routine){op->entry, op->end, (uint32_t)i + 1};
	}
	qsort(places->routines, places->count, sizeof(*places->routines), by_start);
	for (size_t i = 0; i < places->count; i++)
		if (unique == 0 || places->routines[unique - 1].start != places->routines[i].start)
			places->routines[unique++] = places->routines[i];
	places->count = unique;
	return 0;
}

void attribution_destroy(struct attribution *places)
{
	if (!places)
		return;
	free(places->routines);
	*places = (struct attribution){0};
}

uint32_t attribution_operation(const struct attribution *places, uint64_t rip)
{
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->routines[middle].start <= rip)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && rip < places->routines[low - 1].end ? places->routines[low - 1].operation : 0;
}

enum agreement attribution_compare(const struct attribution *places, uint32_t marked, uint64_t rip)
{
	uint32_t routine = attribution_operation(places, rip);

	if (marked == 0)
		return routine ? AGREEMENT_UNMARKED : AGREEMENT_AGREES;
	if (routine == 0)
		return AGREEMENT_ELSEWHERE;
	/* Operations may share a routine. */
	return rip >= places->image->operations[marked - 1].entry &&
			       rip < places->image->operations[marked - 1].end
		       ? AGREEMENT_AGREES
		       : AGREEMENT_DIFFERS;
}
