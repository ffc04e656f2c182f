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

int attribution_create(struct attribution *attribution, const struct image *image)
{
	size_t unique = 0;

	*attribution = (struct attribution){.image = image};
	attribution->routines = calloc(image->operation_count + 1, sizeof(*attribution->routines));
	if (!attribution->routines)
		return -ENOMEM;
	for (size_t i = 0; i < image->operation_count; i++) {
		const struct ss_operation *op = &image->operations[i];

		/* An image need not say where its routines are. */
		if (op->entry < op->end)
			attribution->routines[attribution->count++] =
				(struct routine){op->entry, op->end, (uint32_t)i + 1};
	}
	qsort(attribution->routines, attribution->count, sizeof(*attribution->routines), by_start);
	for (size_t i = 0; i < attribution->count; i++)
		if (unique == 0 || attribution->routines[unique - 1].start != attribution->routines[i].start)
			attribution->routines[unique++] = attribution->routines[i];
	attribution->count = unique;
	return 0;
}

void attribution_destroy(struct attribution *attribution)
{
	if (!attribution)
		return;
	free(attribution->routines);
	*attribution = (struct attribution){0};
}

uint32_t attribution_operation(const struct attribution *attribution, uint64_t rip)
{
	size_t low = 0, high = attribution->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (attribution->routines[middle].start <= rip)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && rip < attribution->routines[low - 1].end ? attribution->routines[low - 1].operation : 0;
}

enum agreement attribution_compare(const struct attribution *attribution, uint32_t marked, uint64_t rip)
{
	uint32_t routine = attribution_operation(attribution, rip);

	if (marked == 0)
		return routine ? AGREEMENT_UNMARKED : AGREEMENT_AGREES;
	if (routine == 0)
		return AGREEMENT_ELSEWHERE;
	/* Operations may share a routine. */
	return rip >= attribution->image->operations[marked - 1].entry &&
			       rip < attribution->image->operations[marked - 1].end
		       ? AGREEMENT_AGREES
		       : AGREEMENT_DIFFERS;
}
