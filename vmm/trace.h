/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts of kvm tracepoints caused by one thread, through perf_event_open(2). */
#ifndef VMM_TRACE_H
#define VMM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_id {
#define TRACEPOINT(name, meaning) TRACE_##name,
#include "tracepoint.def"
#undef TRACEPOINT
	TRACE_COUNT
};

struct trace {
	int fds[TRACE_COUNT]; /* -1: not counted */
	int leader;           /* descriptor that reads all; -1: none */
	int order[TRACE_COUNT];
	size_t opened;
};

/*
 * Starts counting for the calling thread. Returns the number of tracepoints counted; if it is 0,
 * `reason` says why and which setting or capability would change that. trace_close() is due.
 */
int trace_open(struct trace *trace, char *reason, size_t size);
void trace_close(struct trace *trace);

/* Sets the values of the tracepoints that are counted and their bits in *ret_observed. */
void trace_read(const struct trace *trace, uint64_t values[TRACE_COUNT], uint64_t *ret_observed);

#endif
