/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters that the ledger keeps for every operation: KVM_GET_STATS_FD and tracepoints. */
#ifndef VMM_LEDGER_STAT_H
#define VMM_LEDGER_STAT_H

#include <stdbool.h>
#include <stdint.h>

enum trace_id {
#define TRACEPOINT(name, uses, meaning) TRACE_##name,
#include "vmm/ledger/tracepoint.def"
#undef TRACEPOINT
	TRACE_COUNT,
	TRACE_COUNTED = TRACE_kvm_entry /* those before it are counters of the ledger */
};

enum stat_id {
#define STAT(name, meaning) STAT_##name,
#include "vmm/ledger/stat.def"
#undef STAT
	STAT_FD_COUNT, /* those of KVM_GET_STATS_FD come first */
	STAT_TRACE_FIRST = STAT_FD_COUNT,
	STAT_COUNT = STAT_TRACE_FIRST + (int)TRACE_COUNTED
};

static inline enum stat_id stat_of_trace(enum trace_id id)
{
	return (enum stat_id)(STAT_TRACE_FIRST + (int)id);
}

/* A set of counter values. A counter whose bit is clear in `observed` has no meaning. */
struct stat_values {
	uint64_t observed;
	uint64_t value[STAT_COUNT];
};
_Static_assert(STAT_COUNT <= 64, "observed is a bit mask");

extern const char *const stat_names[STAT_COUNT];
extern const char *const stat_meanings[STAT_COUNT];

static inline bool stat_observed(const struct stat_values *values, enum stat_id id)
{
	return values->observed >> id & 1;
}

/* Adds after - before; what either does not observe stays unobserved. */
void stats_accumulate(struct stat_values *sum, const struct stat_values *before,
		      const struct stat_values *after);

#endif
