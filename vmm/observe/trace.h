/* SPDX-License-Identifier: GPL-2.0-only */
/* The kvm tracepoints that one thread passes, counted or sampled, through perf_event_open(2). */
#ifndef VMM_OBSERVE_TRACE_H
#define VMM_OBSERVE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/observe/l0_exit.h"
#include "vmm/observe/trace_format.h"
#include "vmm/observe/trace_ring.h"
#include "vmm/plan/trace_mode.h"

/* What to open, the same for all threads of a run. */
struct trace_plan {
	enum trace_mode mode;
	bool interpreted; /* KVM interprets the guest: there are no hardware exits to see */
	const struct trace_formats *formats; /* for samples */
};

struct trace {
	enum trace_mode mode; /* what came of it */
	int fds[TRACE_COUNT]; /* -1: not opened */
	int leader;           /* descriptor that reads all; -1: none */
	int order[TRACE_COUNT];
	size_t opened;
	const struct trace_formats *formats;
	struct trace_ring ring;
	void *mapping;
	size_t mapping_size;
	bool on; /* hits are recorded now */
	struct {
		uint64_t ns, tsc;
	} start, now; /* two readings of both clocks */
};

/* With the first event of a thread the kernel waits for all its processors. Opens one that counts nothing: until it is
 * closed others need not wait. Returns its descriptor or a negative errno. */
int trace_await_kernel(void);

/*
 * Starts for the calling thread what the plan asks for, or the most that is permitted. Unless that is
 * everything, `reason` says what is not observed, why, and which setting or capability would change
 * that. trace_close() is due. With TRACING_PART nothing is recorded until trace_switch().
 */
void trace_open(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size);
void trace_close(struct trace *trace);

/* Sets the values of the tracepoints that are counted and their bits in *ret_observed. */
void trace_read(const struct trace *trace, uint64_t values[TRACE_COUNT], uint64_t *ret_observed);

/* Starts or stops recording. */
void trace_switch(struct trace *trace, bool on);

static inline bool trace_samples(const struct trace *trace)
{
	return trace->mapping != NULL;
}

/* Whether so much has been recorded that it should be taken out now. */
static inline bool trace_pressing(const struct trace *trace)
{
	return trace_ring_used(&trace->ring) > trace->ring.size / 4;
}

/* Hands all samples to the assembler. */
void trace_drain(struct trace *trace, struct l0_assembler *assembler);

/* Time and durations of samples in ticks of this host's time stamp counter. */
uint64_t trace_tsc(const struct trace *trace, uint64_t ns);
uint64_t trace_ticks(const struct trace *trace, uint64_t ns);

/* What is looked at of a tracepoint, as a filter of perf; NULL: everything. */
const char *trace_filter(enum trace_id id, enum trace_mode mode);

/* What keeps kvm tracepoints from being looked at in a mode: `error` is a negative errno. */
void trace_explain(int error, enum trace_mode mode, char *reason, size_t size);

#endif
