/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring of samples that perf_event_open(2) shares with its reader. */
#ifndef VMM_OBSERVE_TRACE_RING_H
#define VMM_OBSERVE_TRACE_RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every event that writes to a ring must ask for: the layout of its samples. */
#define TRACE_RING_SAMPLE_TYPE (PERF_SAMPLE_TIME | PERF_SAMPLE_RAW)
#define TRACE_RING_RECORD_MAX 1024

struct trace_ring {
	struct perf_event_mmap_page *page; /* NULL: there is none */
	const uint8_t *data;
	uint64_t size; /* a power of two */
	uint64_t head, tail;
	uint64_t lost;   /* samples that found no room, as far as the ring says */
	uint64_t broken; /* times that the rest of what was there made no sense */
	uint8_t record[TRACE_RING_RECORD_MAX];
};

struct trace_sample {
	uint64_t time;
	const uint8_t *raw; /* until the next call */
	size_t size;
};

/* `data_size` bytes of samples lie behind the control page, at `data`. */
void trace_ring_attach(struct trace_ring *ring, struct perf_event_mmap_page *page, const void *data,
		       size_t data_size);

/* How full the ring is, in bytes. */
uint64_t trace_ring_used(const struct trace_ring *ring);

/* The next sample; records of other types are passed over, those of losses counted. False: there is no
 * more, and what was read is the kernel's again. */
bool trace_ring_next(struct trace_ring *ring, struct trace_sample *ret_sample);

#endif
