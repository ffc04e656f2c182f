/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which operation an exit belongs to by its RIP, and whether that is what the marker says. The two are
 * independent: the marker is what the guest claims, the RIP what the hypervisor saw.
 */
#ifndef VMM_OBSERVE_ATTRIBUTION_H
#define VMM_OBSERVE_ATTRIBUTION_H

#include "vmm/guest/image.h"
#include "vmm/ledger/record.h"

struct routine {
	uint64_t start, end;
	uint32_t operation; /* the first of those that share the routine */
};

struct attribution {
	const struct image *image;
	struct routine *routines; /* ascending by start, no two with the same */
	size_t count;
};

/* Returns 0 or -ENOMEM. The image is used, not copied. */
int attribution_create(struct attribution *attribution, const struct image *image);
void attribution_destroy(struct attribution *attribution); /* NULL is allowed */

/* The first operation whose routine holds the address; 0: none. */
uint32_t attribution_operation(const struct attribution *attribution, uint64_t rip);

/* Compares what the marker says, a number of the catalogue or 0, with where the guest was. */
enum agreement attribution_compare(const struct attribution *attribution, uint32_t marked, uint64_t rip);

#endif
