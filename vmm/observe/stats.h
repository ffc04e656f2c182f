/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of one vCPU: KVM_GET_STATS_FD (Documentation/virt/kvm/api.rst, 4.133) and tracepoints. */
#ifndef VMM_OBSERVE_STATS_H
#define VMM_OBSERVE_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/observe/trace_format.h"

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

struct stats {
	int fd;
	bool present[STAT_FD_COUNT];
	off_t first; /* where reading starts, and how much covers all counters */
	size_t span;
	uint32_t offset[STAT_FD_COUNT]; /* from `first` */
	uint8_t *buffer;
};

extern const char *const stat_names[STAT_COUNT];
extern const char *const stat_meanings[STAT_COUNT];

/* Opens the counters of a vCPU. Returns 0 or a negative errno: the kernel has none, and
 * stats_read() then observes nothing. */
int stats_open(struct stats *stats, int vcpu_fd);
void stats_close(struct stats *stats);

/* Reads all counters with one system call. */
void stats_read(const struct stats *stats, struct stat_values *values);

static inline bool stat_observed(const struct stat_values *values, enum stat_id id)
{
	return values->observed >> id & 1;
}

/* Adds after - before; what either does not observe stays unobserved. */
void stats_accumulate(struct stat_values *sum, const struct stat_values *before,
		      const struct stat_values *after);

#endif
