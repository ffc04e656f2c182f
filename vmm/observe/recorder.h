/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What observes the run of one vCPU: every record of it comes here, and goes to the summary, to the ledger and to
 * whoever watches. Behind this are the kernel's counters and tracepoints of the vCPU's thread, the probes, and the
 * code at the addresses where the guest exits. All functions are for that thread, while the guest stands still.
 */
#ifndef VMM_OBSERVE_RECORDER_H
#define VMM_OBSERVE_RECORDER_H

#include "vmm/ledger/ledger.h"
#include "vmm/ledger/summary.h"
#include "vmm/observe/attribution.h"
#include "vmm/observe/code_capture.h"
#include "vmm/observe/sampler.h"
#include "vmm/observe/stats.h"

struct recorder;

/* Somebody who watches the run while it goes on. */
struct record_watch {
	void (*add)(struct record_watch *watch, const struct record *record);
	void (*kicked)(struct record_watch *watch); /* the thread has left the guest because it was told to */
	void (*ended)(struct record_watch *watch);  /* no record follows */
};

struct recorder {
	uint8_t vm, vcpu;
	const struct image *image;
	volatile struct ss_vcpu_page *page; /* shared with the guest, who says there what it is doing */
	struct summary *summary;
	struct ledger *ledger;                 /* NULL: none is kept */
	const struct attribution *attribution; /* of exits at L0 */
	struct record_watch *watch;            /* NULL: nobody watches */
	struct stats stats;
	struct sampler sampler;
	struct code_capture capture;
	/* All repetitions of an operation: the record that is due at their end, and the counters before. */
	struct record_batch batch;
	struct stat_values batch_start;
};

/* `page` and `image` must outlive the recorder. Returns NULL if memory is short. */
struct recorder *recorder_create(unsigned vm, unsigned vcpu, const struct image *image,
				 volatile struct ss_vcpu_page *page);
void recorder_destroy(struct recorder *recorder); /* NULL is allowed */

/* Opens the kernel's counters of the vCPU. Without them there only is more that is "not observed". */
void recorder_open_stats(struct recorder *recorder, int vcpu_fd);

/* In the vCPU's thread: opens its tracepoints, as trace_open(). Exits at L0 that they show become records, which
 * begin with `start`; `attribution` must outlive the recorder. */
void recorder_open_trace(struct recorder *recorder, const struct trace_plan *plan, enum trace_id start,
			 const struct attribution *attribution, char *reason, size_t size);

/* What came of it, and the descriptors; -1: there is none. */
static inline enum trace_mode recorder_trace_mode(const struct recorder *recorder)
{
	return recorder->sampler.trace.mode;
}

static inline int recorder_trace_fd(const struct recorder *recorder)
{
	return recorder->sampler.trace.leader;
}

static inline int recorder_stats_fd(const struct recorder *recorder)
{
	return recorder->stats.fd;
}

/* Has the code at each address where the guest exits, which `fetch` reads, become a record in front of the first exit
 * there, for the ledger and whoever watches. Returns 0 or -ENOMEM. */
int recorder_capture(struct recorder *recorder, code_fetch_fn *fetch, void *opaque);

/* Has records go to the ledger too, and such code. Returns 0 or -ENOMEM. */
int recorder_keep(struct recorder *recorder, struct ledger *ledger, code_fetch_fn *fetch, void *opaque);

/* What the guest's marker says, validated: 0 if it is no operation. */
static inline uint32_t recorder_operation(const struct recorder *recorder)
{
	uint32_t operation = recorder->page->marker.operation;

	return operation <= image_operations(recorder->image) ? operation : 0;
}

/* Has the marker say so in the guest's place. */
void recorder_mark(struct recorder *recorder, uint32_t operation);

/* Turns what has been sampled so far to records. */
void recorder_drain(struct recorder *recorder);

/* Whether so much has come together that it should be drained. For other threads too. */
static inline bool recorder_pressing(const struct recorder *recorder)
{
	return trace_samples(&recorder->sampler.trace) && trace_pressing(&recorder->sampler.trace);
}

/* To be called at every exit to user space, before it is handled: drains if the marker has changed since the last
 * time, or much has come together. */
static inline void recorder_observe(struct recorder *recorder)
{
	const struct sampler *sampler = &recorder->sampler;

	if (sampler->trace.on &&
	    (recorder->page->marker.sequence != sampler->sequence ||
	     recorder->page->marker.operation != sampler->marker || recorder_pressing(recorder)))
		recorder_drain(recorder);
}

/* Adds a record of an exit, which an address and a probe go with; any other record. */
void recorder_exit(struct recorder *recorder, struct record_exit *record);
void recorder_add(struct recorder *recorder, struct record *record);

/* All counters of the kernel that can be read. */
void recorder_counters(const struct recorder *recorder, struct stat_values *values);

/* The guest begins `count` repetitions of an operation; `time` is the TSC of the exit that says so. */
void recorder_batch_begin(struct recorder *recorder, uint32_t operation, uint32_t count, uint64_t time);

/* They are over. First the counters are read into `record`, so that nothing that is done from here on is in them;
 * then, with the view that is active and all earlier records added, it is added. */
int recorder_batch_close(struct recorder *recorder, uint64_t operation, uint64_t time);
void recorder_batch_end(struct recorder *recorder, uint32_t view);

/* Starts or stops the recording of exits at L0. */
void recorder_switch(struct recorder *recorder, bool on);

/* The thread was kicked out of the guest. */
void recorder_kicked(struct recorder *recorder);

/* The guest runs no more: what has been sampled becomes records. Then, when all other records are there: none
 * follows. */
void recorder_end_samples(struct recorder *recorder);
void recorder_end(struct recorder *recorder);

/* After the thread has ended: moves the summary into another one. Returns how many samples were lost. */
uint64_t recorder_merge(struct recorder *recorder, struct summary *into);

#endif
