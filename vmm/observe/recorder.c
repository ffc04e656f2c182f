/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The one probe here is about a record in memory. */
#define STAP_SDT_ARG_CONSTRAINT o

#include "vmm/observe/probe.h"

struct recorder *recorder_create(unsigned vm, unsigned vcpu, const struct image *image,
				 volatile struct ss_vcpu_page *page)
{
	struct recorder *recorder = malloc(sizeof(*recorder));

	if (!recorder)
		return NULL;
	*recorder = (struct recorder){
		.vm = (uint8_t)vm,
		.vcpu = (uint8_t)vcpu,
		.image = image,
		.page = page,
		.stats = {.fd = -1},
		.sampler = {.trace = {.leader = -1}},
	};
	recorder->summary = summary_create_bounded(image_operations_most(image));
	if (recorder->summary)
		return recorder;
	free(recorder);
	return NULL;
}

void recorder_destroy(struct recorder *recorder)
{
	if (!recorder)
		return;
	stats_close(&recorder->stats);
	trace_close(&recorder->sampler.trace);
	summary_destroy(recorder->summary);
	code_capture_finish(&recorder->capture);
	free(recorder);
}

void recorder_open_stats(struct recorder *recorder, int vcpu_fd)
{
	stats_open(&recorder->stats, vcpu_fd);
}

int recorder_capture(struct recorder *recorder, code_fetch_fn *fetch, void *opaque)
{
	return code_capture_init(&recorder->capture, fetch, opaque);
}

int recorder_keep(struct recorder *recorder, struct ledger *ledger, code_fetch_fn *fetch, void *opaque)
{
	recorder->ledger = ledger;
	return recorder_capture(recorder, fetch, opaque);
}

static inline void sign(const struct recorder *recorder, struct record *record)
{
	record->vm = recorder->vm;
	record->vcpu = recorder->vcpu;
}

static inline void hand_on(struct recorder *recorder, const struct record *record)
{
	if (recorder->watch)
		recorder->watch->add(recorder->watch, record);
	if (recorder->ledger)
		ledger_append(recorder->ledger, record);
}

static inline void keep(struct recorder *recorder, const struct record *record)
{
	summary_add(recorder->summary, record);
	hand_on(recorder, record);
}

static void keep_code(struct recorder *recorder, uint64_t rip, bool outer)
{
	struct record_code code;

	if (!recorder->capture.fetch || code_capture_known(&recorder->capture, rip) ||
	    !code_capture(&recorder->capture, recorder->image, rip, outer, &code))
		return;
	sign(recorder, &code.record);
	hand_on(recorder, &code.record);
}

void recorder_add(struct recorder *recorder, struct record *record)
{
	sign(recorder, record);
	keep(recorder, record);
}

void recorder_exit(struct recorder *recorder, struct record_exit *record)
{
	sign(recorder, &record->record);
	PROBE_FIRE(exit, record->record.vcpu, record->record.level, record->reason, record->rip,
		   record->operation, record->cost, record->record.vm, record->time);
	keep_code(recorder, record->rip, false);
	keep(recorder, &record->record);
}

void recorder_mark(struct recorder *recorder, uint32_t operation)
{
	recorder->page->marker.operation = operation;
	recorder->page->marker.sequence++;
}

static uint32_t saturate(uint64_t ticks)
{
	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static void add_l0_exit(void *opaque, struct l0_exit *exit)
{
	struct recorder *recorder = opaque;
	const struct trace *trace = &recorder->sampler.trace;
	uint32_t operation = exit->attributed ? exit->operation : recorder->sampler.interval;
	struct record_l0_exit record = {
		.record = {.type = RECORD_L0_EXIT, .size = sizeof(record), .level = LEVEL_L0},
		.time = trace_tsc(trace, exit->time),
		.rip = exit->rip,
		.info1 = exit->info1,
		.info2 = exit->info2,
		.operation = operation,
		.routine = attribution_operation(recorder->attribution, exit->rip),
		.cost = saturate(trace_ticks(trace, exit->cost)),
		.reason = exit->reason,
		.isa = exit->isa,
		.agreement = (uint8_t)attribution_compare(recorder->attribution, operation, exit->rip),
		.flags = exit->flags,
	};

	keep_code(recorder, record.rip, !(record.flags & L0_NESTED));
	recorder_add(recorder, &record.record);
}

void recorder_open_trace(struct recorder *recorder, const struct trace_plan *plan, enum trace_id start,
			 const struct attribution *attribution, char *reason, size_t size)
{
	trace_open(&recorder->sampler.trace, plan, reason, size);
	if (!trace_samples(&recorder->sampler.trace))
		return;
	recorder->attribution = attribution;
	sampler_start(&recorder->sampler, start, recorder->page, add_l0_exit, recorder);
}

void recorder_drain(struct recorder *recorder)
{
	sampler_drain(&recorder->sampler, recorder->page, recorder_operation(recorder),
		      recorder->batch.operation);
}

void recorder_switch(struct recorder *recorder, bool on)
{
	if (on == recorder->sampler.trace.on)
		return;
	/* Also before recording begins: it is from here on that the marker is looked at. */
	recorder_drain(recorder);
	sampler_switch(&recorder->sampler, on);
}

void recorder_end_samples(struct recorder *recorder)
{
	if (!trace_samples(&recorder->sampler.trace))
		return;
	trace_switch(&recorder->sampler.trace, false);
	recorder_drain(recorder);
	sampler_finish(&recorder->sampler);
}

void recorder_counters(const struct recorder *recorder, struct stat_values *values)
{
	const struct trace *trace = &recorder->sampler.trace;
	uint64_t hits[TRACE_COUNT], traced;

	stats_read(&recorder->stats, values);
	/* What is recorded for a part of the time only is no count. */
	if (trace->mode == TRACING_PART)
		return;
	trace_read(trace, hits, &traced);
	for (int id = 0; id < (int)TRACE_COUNTED; id++) {
		if (!(traced >> id & 1))
			continue;
		values->value[STAT_TRACE_FIRST + id] = hits[id];
		values->observed |= UINT64_C(1) << (STAT_TRACE_FIRST + id);
	}
}

/* The counters are read last here and first at the end, so that nothing of ours lies between. */
void recorder_batch_begin(struct recorder *recorder, uint32_t operation, uint32_t count, uint64_t time)
{
	/* What was before belongs to no batch. */
	if (recorder->sampler.trace.on)
		recorder_drain(recorder);
	recorder->batch = (struct record_batch){
		.record = {.type = RECORD_BATCH, .size = sizeof(recorder->batch)},
		.operation = operation,
		.count = count,
		.begin = time,
		.flags = recorder->image->marks ? BATCH_MARKED : 0,
	};
	probe_operation_begin(recorder->vcpu, operation, image_operation_name(recorder->image, operation),
			      count, recorder->vm);
	recorder_counters(recorder, &recorder->batch_start);
}

int recorder_batch_close(struct recorder *recorder, uint64_t operation, uint64_t time)
{
	struct record_batch *batch = &recorder->batch;
	struct stat_values now, sum = {0};

	recorder_counters(recorder, &now);
	if (batch->operation == 0 || operation != batch->operation)
		return -EINVAL;
	stats_accumulate(&sum, &recorder->batch_start, &now);
	batch->end = time;
	batch->observed = sum.observed;
	memcpy(batch->value, sum.value, sizeof(batch->value));
	return 0;
}

void recorder_batch_end(struct recorder *recorder, uint32_t view)
{
	struct record_batch *batch = &recorder->batch;

	/* What has come since a kick behind the last marker is the batch's. */
	if (recorder->sampler.trace.on)
		recorder_drain(recorder);
	batch->view = view;
	recorder_add(recorder, &batch->record);
	probe_operation_end(recorder->vcpu, batch->operation,
			    image_operation_name(recorder->image, batch->operation), batch->count,
			    recorder->vm);
	batch->operation = 0;
}

/* No exit is being handled: the last one is of the batch, too, if the marker has not changed yet or no more says so. */
void recorder_kicked(struct recorder *recorder)
{
	const uint32_t operation = recorder_operation(recorder);

	if (recorder->sampler.trace.on)
		sampler_drain(&recorder->sampler, recorder->page, operation ? operation : recorder->batch.operation,
			      recorder->batch.operation);
	if (recorder->watch)
		recorder->watch->kicked(recorder->watch);
}

void recorder_end(struct recorder *recorder)
{
	if (recorder->watch)
		recorder->watch->ended(recorder->watch);
}

uint64_t recorder_merge(struct recorder *recorder, struct summary *into)
{
	summary_merge(into, recorder->summary);
	return recorder->sampler.lost;
}
