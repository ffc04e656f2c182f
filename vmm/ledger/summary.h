/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the records of a run say about each operation. Built from records one by one, in the process
 * that makes them and in one that reads a ledger, by the same code.
 */
#ifndef VMM_LEDGER_SUMMARY_H
#define VMM_LEDGER_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/expect.h"
#include "views/interrupts.h"
#include "vmm/ledger/record.h"

/* Ticks of one repetition, from samples of the guest: loop included, time stamps subtracted. Or, of a marked one, from
 * the exit that began it to the one that ended it. */
struct tick_summary {
	size_t samples;
	double minimum, median, percentile99;
	double total; /* of all repetitions whose results are known, or that were marked */
};

/* Exits at L0 that the kernel's tracepoints showed one by one. */
struct l0_summary {
	uint64_t exits;
	uint64_t flags[L0_FLAG_COUNT]; /* those with each enum l0_flag */
	uint64_t agreement[AGREEMENT_COUNT];
};

struct operation_summary {
	uint64_t batches;     /* how many times a vCPU performed it */
	bool marked;          /* by BATCH_MARKED: there is no result, and ticks are those of the batches */
	uint64_t repetitions; /* of all batches that have ended */
	uint64_t exits[LEVEL_COUNT];
	uint64_t reasons[EXIT_REASON_COUNT]; /* of the exits at level vmm */
	uint64_t handling_ticks;             /* of the exits at level vmm */
	uint64_t violations;
	struct l0_summary l0;
	struct stat_values stats;
	uint32_t view; /* active at the end of the last batch */
	bool result_known;
	bool results_differ;      /* between vCPUs or VMs */
	struct ss_result result;  /* the last one; ticks in `samples` instead */
	float *samples;           /* ticks per repetition */
	size_t sample_count, sample_capacity;
};

/* Equal accesses that a view forbids, counted, and the record of the first of them. Its texts end with
 * a NUL. */
struct violation_summary {
	struct record_violation record;
	struct record_instruction instruction; /* the first; no type: none was recorded */
	char source[RECORD_SOURCE_SIZE];       /* empty: not known */
	uint64_t count;
};

/* Exits whose RIP is in the routine of another operation than the marked one. */
struct disagreement {
	uint32_t marked, routine;
	uint64_t rip, count;
};

/* More different ones than this are only counted, under their operation. */
#define SUMMARY_DISAGREEMENTS_MAX 16

/* What a vCPU reports of an operation again and again is kept up to here. */
#define SUMMARY_SAMPLES_MAX (8u * SS_MAX_SAMPLES)

/* More different ones than this are only counted, under their operation. */
#define SUMMARY_VIOLATIONS_MAX 256

/* Buffers that were pinned, of all VMs. */
struct pin_summary {
	uint64_t count[PIN_EVENT_COUNT];
	uint64_t most;  /* bytes that one VM had pinned at a time */
	int host_error; /* of the last one that the host refused, and what its limit was then */
	uint64_t limit;
};

struct summary {
	struct violation_summary violations[SUMMARY_VIOLATIONS_MAX];
	size_t violation_count;
	struct disagreement disagreements[SUMMARY_DISAGREEMENTS_MAX];
	size_t disagreement_count;
	uint64_t interrupts[INTERRUPT_VECTORS][INTERRUPT_EVENT_COUNT];
	struct pin_summary pins;
	/* Number 0 is everything outside any operation. */
	struct operation_summary operations[SS_MAX_OPERATIONS + 1];
	uint32_t highest; /* largest operation number seen */
	bool samples_dropped; /* some samples found no room */
	float *pool;          /* of the samples of operations 0 to `pooled`, in a bounded summary */
	size_t pooled;
};

struct summary *summary_create(void);

/* As the thread of a vCPU needs it: takes any records, but keeps the samples of operations 1 to
 * `operations` only, at most SUMMARY_SAMPLES_MAX of each, and allocates nothing more. */
struct summary *summary_create_bounded(size_t operations);
void summary_destroy(struct summary *summary); /* NULL is allowed */

/* So many, and a NULL behind them; NULL if memory is short. */
struct summary **summaries_create(size_t count);
void summaries_destroy(struct summary **summaries); /* NULL is allowed */

/* Takes a record into account. Numbers out of range are counted under 0. */
void summary_add(struct summary *summary, const struct record *record);

/* Adds what another summary holds. */
void summary_include(struct summary *into, const struct summary *from);

/* The same of another thread's summary, which is empty then. */
void summary_merge(struct summary *into, struct summary *from);

void summary_ticks(const struct operation_summary *operation, struct tick_summary *ticks);

/* How often samples of which size occurred: bin n holds those from 2^(n / HISTOGRAM_PER_OCTAVE) ticks up
 * to the next one. */
#define HISTOGRAM_PER_OCTAVE 8

struct tick_histogram {
	double maximum; /* the largest sample */
	struct tick_bin {
		int number;
		uint64_t samples; /* more than 0 */
	} *bins;
	size_t count;
};

/* Returns 0 or -ENOMEM. */
int summary_histogram(const struct operation_summary *operation, struct tick_histogram *histogram);
void summary_histogram_finish(struct tick_histogram *histogram);

/*
 * Exits of all repetitions at a level. `loop` is operation "ref.nothing" of the same run, whose counters are what
 * the loop itself costs; NULL if it was not performed. Returns false if nothing that would have seen such exits was
 * looking.
 */
bool summary_exits_total(const struct operation_summary *operation,
			 const struct operation_summary *loop, enum host_backend backend,
			 enum level level, double *ret_exits);

/* The same for each repetition, rounded to the nearest whole. */
bool summary_exits(const struct operation_summary *operation, const struct operation_summary *loop,
		   enum host_backend backend, enum level level, uint64_t *ret_exits);

/* The nearest whole number that there is a type for. */
uint64_t summary_whole(double number);

/* Which of the counters that were read is the best evidence for exits at L0 on this kind of host. */
enum stat_id summary_l0_counter(const struct stat_values *stats, enum host_backend backend);

/* Of all operations, and of what belongs to none. */
void summary_l0(const struct summary *summary, struct l0_summary *ret_sum);

enum placement summary_placement(const struct operation_summary *operation,
				 const struct operation_summary *loop, enum host_backend backend);

#endif
