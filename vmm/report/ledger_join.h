/* SPDX-License-Identifier: GPL-2.0-only */
/* Several ledgers as one: what their records count adds up. */
#ifndef VMM_REPORT_LEDGER_JOIN_H
#define VMM_REPORT_LEDGER_JOIN_H

#include "vmm/analysis/ledger_index.h"

struct ledger_join {
	struct ledger_index first, part; /* what all others have to be alike, and the one that is being added */
	const char *first_name;
	struct ledger_header header;
	FILE *records; /* into `data` */
	char *data;
	size_t size, count;
	uint64_t samples_lost;
	unsigned vcpus_blind;
	int status;
	/* Of any ledger so far: what it calls a number, and how often an operation was performed each time. */
	char *names[SS_MAX_OPERATIONS + 1], *views[VIEW_MAX];
	uint32_t counts[SS_MAX_OPERATIONS + 1];
	uint32_t various; /* texts about the run that are not the same in all: bits of an array in ledger_join.c */
};

/* Opens one more, which stays open as the one that was added last, and adds its records. Runs that were configured in
 * different ways are refused. Returns 0 or a negative errno with the reason in `error`; ledger_join_close() is due
 * either way. `path` is kept, not copied. */
int ledger_join_add(struct ledger_join *join, const char *path, struct error *error);

/* The one that was added last. */
const struct ledger_index *ledger_join_last(const struct ledger_join *join);

/* All together. Returns as ledger_index_open() does. */
int ledger_join_finish(struct ledger_join *join, struct ledger_index *ret_contents, struct error *error);

void ledger_join_close(struct ledger_join *join);

#endif
