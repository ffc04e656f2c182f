/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/trace_ring.h"

#include <string.h>

void trace_ring_attach(struct trace_ring *ring, struct perf_event_mmap_page *page, const void *data,
		       size_t data_size)
{
	*ring = (struct trace_ring){
		.page = page,
		.data = data,
		.size = data_size,
		.head = page->data_tail,
		.tail = page->data_tail,
	};
}

uint64_t trace_ring_used(const struct trace_ring *ring)
{
	return __atomic_load_n(&ring->page->data_head, __ATOMIC_RELAXED) - ring->tail;
}

/* So many bytes from the tail on: where they lie, or, if they go round the end, a copy. Both last until the tail is the
 * kernel's again. */
static const uint8_t *look_at(const struct trace_ring *ring, uint8_t *copy, size_t size)
{
	uint64_t at = ring->tail & (ring->size - 1);
	size_t first = (size_t)(ring->size - at);

	if (size <= first)
		return ring->data + at;
	memcpy(copy, ring->data + at, first);
	memcpy(copy + first, ring->data, size - first);
	return copy;
}

static void count_lost(struct trace_ring *ring, const uint8_t *data, size_t size)
{
	struct {
		struct perf_event_header header;
		uint64_t id, lost;
	} record;

	if (size < sizeof(record)) {
		ring->broken++;
		return;
	}
	memcpy(&record, data, sizeof(record));
	ring->lost += record.lost;
}

/* PERF_SAMPLE_TIME, then PERF_SAMPLE_RAW: its size and the tracepoint's record (perf_event_open(2)). */
static bool take_sample(struct trace_ring *ring, const uint8_t *data, size_t size, struct trace_sample *ret_sample)
{
	size_t at = sizeof(struct perf_event_header);
	uint32_t raw_size;

	if (size < at + sizeof(uint64_t) + sizeof(raw_size)) {
		ring->broken++;
		return false;
	}
	memcpy(&ret_sample->time, data + at, sizeof(uint64_t));
	at += sizeof(uint64_t);
	memcpy(&raw_size, data + at, sizeof(raw_size));
	at += sizeof(raw_size);
	if (raw_size > size - at) {
		ring->broken++;
		return false;
	}
	ret_sample->raw = data + at;
	ret_sample->size = raw_size;
	return true;
}

bool trace_ring_next(struct trace_ring *ring, struct trace_sample *ret_sample)
{
	for (;;) {
		struct perf_event_header header;
		const uint8_t *data;
		uint64_t left;
		size_t size;

		if (ring->tail == ring->head)
			ring->head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
		left = ring->head - ring->tail;
		if (left >= sizeof(header)) {
			memcpy(&header, look_at(ring, ring->record, sizeof(header)), sizeof(header));
			if (header.size < sizeof(header) || header.size > left) {
				ring->broken++;
				ring->tail = ring->head;
				left = 0;
			}
		} else {
			ring->tail = ring->head;
			left = 0;
		}
		if (left == 0) {
			__atomic_store_n(&ring->page->data_tail, ring->tail, __ATOMIC_RELEASE);
			return false;
		}
		size = header.size < sizeof(ring->record) ? header.size : sizeof(ring->record);
		data = look_at(ring, ring->record, size);
		ring->tail += header.size;
		if (header.type == PERF_RECORD_LOST)
			count_lost(ring, data, size);
		else if (header.type == PERF_RECORD_SAMPLE && take_sample(ring, data, size, ret_sample))
			return true;
	}
}
