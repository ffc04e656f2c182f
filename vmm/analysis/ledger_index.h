/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ledger taken apart: what `sidestep report` writes in one format or another. Nothing in a ledger is
 * trusted; what cannot be is left out, and ledger_index_complaint() says so.
 */
#ifndef VMM_ANALYSIS_LEDGER_INDEX_H
#define VMM_ANALYSIS_LEDGER_INDEX_H

#include "views/policy.h"
#include "vmm/analysis/disassembly.h"
#include "vmm/analysis/ledger_regions.h"
#include "vmm/analysis/ledger_symbols.h"
#include "vmm/analysis/report.h"
#include "vmm/base/keyset.h"
#include "vmm/ledger/ledger.h"

struct ledger_index {
	struct ledger_reader reader;
	struct summary *summary; /* of all VMs */
	struct summary *vm_summaries[REPORT_VMS_MAX]; /* of each; NULL: it left no record */
	struct report report; /* a row for every operation that left a trace */
	const char *views[VIEW_MAX];
	const char *names[SS_MAX_OPERATIONS + 1]; /* NULL where not known */
	uint32_t kinds[SS_MAX_OPERATIONS + 1];
	uint32_t compared[SS_MAX_OPERATIONS + 1]; /* number of the operation it is compared with; 0: none */
	const struct record_expectation *expected[SS_MAX_OPERATIONS + 1]; /* NULL: nothing was */
	unsigned expectations[SS_MAX_OPERATIONS + 1]; /* of how many runs something was */
	unsigned skips[SS_MAX_OPERATIONS + 1]; /* of how many runs it was not performed in */
	const char *skipped[SS_MAX_OPERATIONS + 1]; /* why it was not performed; NULL: it was, or was not asked for */
	struct keyset places; /* RIPs whose code is known */
	const struct record_code **codes;
	struct ledger_symbols symbols; /* of this code */
	struct disassembly_mnemonics mnemonics; /* of this code, as far as anybody has asked */
	struct ledger_regions regions; /* of violations that do not name theirs */
	struct keyset clocks; /* vCPUs whose clock is known */
	int64_t *offsets;     /* of the guest's time stamp counter to the host's */
	bool ended;
	bool odd; /* a name that no guest can have given */
};

/* Both return 0 or a negative errno with the reason in `error`; ledger_index_close() is due either way. */
int ledger_index_open(struct ledger_index *contents, const char *path, struct error *error);
int ledger_index_open_memory(struct ledger_index *contents, const void *data, size_t size, const char *name,
			     struct error *error);
void ledger_index_close(struct ledger_index *contents);

/* What a reader should know about the file itself, in words; false if there is nothing. */
bool ledger_index_complaint(const struct ledger_index *contents, char *text, size_t size);

/* Name of an operation, "-" for none, "?" if it is not known. */
const char *ledger_index_operation(const struct ledger_index *contents, uint32_t number);

/* The code around a RIP, or NULL. */
const struct record_code *ledger_index_code(const struct ledger_index *contents, uint64_t rip);

/* A number for what holds a RIP: its function or, where that is not known, its neighbourhood (base/neighbourhood.h); 0 for
 * an RIP of 0, which nobody knew. */
uint64_t ledger_index_place(const struct ledger_index *contents, uint64_t rip);

/* Whether such a number is of a neighbourhood; the address of that one; the name of a function, "?" if it is of none. */
bool ledger_index_place_unnamed(uint64_t place);
uint64_t ledger_index_place_address(uint64_t place);
const char *ledger_index_place_name(const struct ledger_index *contents, uint64_t place);

/* A record of an exit, from whatever source; false if it is none. */
bool ledger_index_exit(const struct record *record, struct record_exit *ret_exit);

/* When a record was made, in ticks of the host's time stamp counter. */
uint64_t ledger_index_time(const struct ledger_index *contents, const struct record_exit *exit);

/* What an exit is called where it arrived: KVM's reasons at the VMM, the processor's at the relay. */
const char *ledger_index_reason(const struct ledger_index *contents, unsigned level, uint64_t reason);

#endif
