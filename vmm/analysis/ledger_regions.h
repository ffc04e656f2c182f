/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of memory for violations that were recorded without one, as the bare monitor does, which knows none. */
#ifndef VMM_ANALYSIS_LEDGER_REGIONS_H
#define VMM_ANALYSIS_LEDGER_REGIONS_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/ledger/summary.h"

struct ledger_region {
	uint64_t start, size;
	const char *name; /* the ledger's */
};

struct ledger_regions {
	struct ledger_region *list;
	size_t count;
};

/* Takes what a META `region.N` says: "START SIZE NAME", numbers as of C. What is no such thing is passed over. Returns 0
 * or -ENOMEM; ledger_regions_finish() is due either way. */
int ledger_regions_take(struct ledger_regions *regions, const char *value);
void ledger_regions_finish(struct ledger_regions *regions);

/* Names the memory of every violation that has no name of it. */
void ledger_regions_name(const struct ledger_regions *regions, struct summary *summary);

#endif
