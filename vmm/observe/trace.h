/* SPDX-License-Identifier: GPL-2.0-only */
/* The kvm tracepoints that one thread passes, counted or sampled, through perf_event_open(2). */
#ifndef VMM_OBSERVE_TRACE_H
#define VMM_OBSERVE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/observe/l0_exit.h"
#include "vmm/observe/trace_format.h"
#include "vmm/observe/trace_ring.h"
#include "vmm/plan/trace_mode.h"

/* What to open, the same for all threads of a run. */
struct trace_plan {
	enum trace_mode mode;
	bool interpreted; /* KVM interprets the guest: there are no hardware exits to see */
	pid_t thread;     /* of another process, whose every hit is of interest; 0: the calling thread of our own */
	int paranoid;      /* with `thread`: trace_paranoid_level(), as a sealed thread cannot look */
	size_t ring_pages; /* room for samples, a power of two; 0: as much as there is to be had */
	const struct trace_formats *formats; /* for samples */
};

struct trace {
	enum trace_mode mode; /* what came of it */
	int fds[TRACE_COUNT]; /* -1: not opened */
	int leader;           /* descriptor that reads all; -1: none */
	int order[TRACE_COUNT];
	size_t opened;
	uint64_t sparse; /* bits of the tracepoints of which not every hit is recorded */
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

/* The same for a thread of another process, all or nothing but tracepoints that this kernel has not. Returns 0, `reason`
 * then says what those are, or a negative errno with the reason: -ESRCH if the thread is no more. */
int trace_attach(struct trace *trace, const struct trace_plan *plan, char *reason, size_t size);

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

/* How many hits of interpreted instructions of another process pass for each that is recorded: no multiple of what a loop
 * of the guest might have. Recording each would make such a guest several times slower. */
#define TRACE_INTERPRETED_PERIOD 97

/* Hits that were counted but never came out of the ring, even where the ring does not say so because it was full to the
 * end. What is recorded one in so many is left out. */
uint64_t trace_lost(const struct trace *trace, const uint64_t seen[TRACE_COUNT]);

/* What is looked at of a tracepoint, as a filter of perf; NULL: everything. */
const char *trace_filter(enum trace_id id, enum trace_mode mode);

/* kernel.perf_event_paranoid; Debian knows 3, which refuses all but CAP_SYS_ADMIN. */
int trace_paranoid_level(void);

/* What keeps kvm tracepoints from being looked at in a mode: `error` is a negative errno. */
void trace_explain(int error, enum trace_mode mode, char *reason, size_t size);

#endif
