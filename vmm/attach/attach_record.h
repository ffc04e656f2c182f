/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits of somebody else's VM, counted and put into the ledger. */
#ifndef VMM_ATTACH_ATTACH_RECORD_H
#define VMM_ATTACH_ATTACH_RECORD_H

#include "vmm/attach/attached_thread.h"
#include "vmm/base/keyset.h"
#include "vmm/ledger/ledger.h"
#include "vmm/profile/profile.h"

/* Times are ns of CLOCK_MONOTONIC_RAW. */
#define ATTACH_CLOCK_KHZ 1000000

/* The name of the function that an address of the guest is in, and where that begins; NULL: not known. */
typedef const char *attach_symbol_fn(const void *opaque, uint64_t address, uint64_t *ret_start);

struct attach_sink {
	enum group_key by;
	attach_symbol_fn *symbol; /* NULL: there are no names */
	const void *symbols;
	struct ledger *ledger; /* NULL: nothing is recorded */
	struct profile_counts counts;
	struct keyset places; /* RIPs whose function is in the ledger */
};

/* Takes an exit. What finds no memory has no name in the ledger. */
void attach_record(struct attach_sink *sink, const struct attached_thread *thread, const struct attached_exit *exit);

#endif
