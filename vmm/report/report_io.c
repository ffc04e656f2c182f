/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/report_io.h"

#include <inttypes.h>
#include <string.h>

#include "vmm/table/json.h"

static uint64_t events_of(const struct summary *summary, unsigned vector)
{
	uint64_t total = 0;

	for (int event = INTERRUPT_EVENT_NONE + 1; event < INTERRUPT_EVENT_COUNT; event++)
		total += summary->interrupts[vector][event];
	return total;
}

static void print_interrupts(const struct summary *summary, FILE *stream)
{
	for (unsigned vector = 0; vector < INTERRUPT_VECTORS; vector++) {
		const char *separator = ": ";

		if (events_of(summary, vector) == 0)
			continue;
		fprintf(stream, "interrupts of vector 0x%x", vector);
		for (int event = INTERRUPT_EVENT_NONE + 1; event < INTERRUPT_EVENT_COUNT; event++) {
			if (summary->interrupts[vector][event] == 0)
				continue;
			fprintf(stream, "%s%" PRIu64 " %s", separator,
				summary->interrupts[vector][event], interrupt_event_keys[event]);
			separator = ", ";
		}
		fputs("\n", stream);
	}
}

static void print_pins(const struct summary *summary, FILE *stream)
{
	const uint64_t *count = summary->pins.count;

	if (count[PIN_PINNED] == 0 && count[PIN_REFUSED] == 0 && count[PIN_HOST_REFUSED] == 0)
		return;
	fprintf(stream,
		"pinned: %" PRIu64 " KiB at most in a VM; buffers: %" PRIu64 ", refused: %" PRIu64 "\n",
		summary->pins.most >> 10, count[PIN_PINNED],
		count[PIN_REFUSED] + count[PIN_HOST_REFUSED]);
	if (count[PIN_HOST_REFUSED] == 0)
		return;
	fprintf(stream, "  %" PRIu64 " by the host: %s", count[PIN_HOST_REFUSED],
		strerror(summary->pins.host_error));
	if (summary->pins.limit != UINT64_MAX)
		fprintf(stream, "; RLIMIT_MEMLOCK is %" PRIu64 " KiB, ulimit -l sets it",
			summary->pins.limit >> 10);
	fputs("\n", stream);
}

void report_io_text(const struct report *report, FILE *stream)
{
	print_interrupts(report->summary, stream);
	print_pins(report->summary, stream);
}

json_t *report_interrupts_json(const struct report *report)
{
	json_t *array = json_array();

	for (unsigned vector = 0; vector < INTERRUPT_VECTORS; vector++) {
		const uint64_t *count = report->summary->interrupts[vector];
		json_t *object;

		if (events_of(report->summary, vector) == 0)
			continue;
		object = json_object();
		json_object_set_new(object, "vector", json_integer(vector));
		json_add_counts(object, interrupt_event_keys + INTERRUPT_EVENT_NONE + 1,
				count + INTERRUPT_EVENT_NONE + 1, INTERRUPT_EVENT_COUNT - INTERRUPT_EVENT_NONE - 1);
		json_array_append_new(array, object);
	}
	return array;
}

json_t *report_pins_json(const struct report *report)
{
	static const char *const keys[] = {
#define X(name, key, meaning) key,
		PIN_EVENTS(X)
#undef X
	};
	json_t *object = json_object();

	json_object_set_new(object, "bytes_at_most", json_count(report->summary->pins.most));
	json_add_counts(object, keys, report->summary->pins.count + PIN_INVALID + 1, PIN_EVENT_COUNT - PIN_INVALID - 1);
	return object;
}
