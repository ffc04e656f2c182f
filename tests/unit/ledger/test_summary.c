/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/ledger/summary.h"

static void add_exit(struct summary *summary, uint32_t operation, uint16_t level, uint16_t reason,
		     uint32_t cost)
{
	struct record_exit exit = {
		.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = level},
		.operation = operation, .reason = reason, .cost = cost};

	summary_add(summary, &exit.record);
}

static void add_batch(struct summary *summary, uint32_t operation, uint32_t count,
		      uint64_t observed, uint64_t exits, uint64_t irqs)
{
	struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)},
				     .operation = operation, .count = count,
				     .observed = observed};

	batch.value[STAT_exits] = exits;
	batch.value[STAT_insn_emulation] = exits;
	batch.value[STAT_irq_exits] = irqs;
	summary_add(summary, &batch.record);
}

static void add_result(struct summary *summary, uint32_t operation, uint32_t samples,
		       uint32_t sample_size, uint32_t overhead, uint32_t first_ticks, uint64_t value)
{
	struct record_result result = {.record = {.type = RECORD_RESULT, .size = sizeof(result)}};

	result.result.operation = operation;
	result.result.count = 1000;
	result.result.vector = SS_NO_VECTOR;
	result.result.value = value;
	result.result.samples = samples;
	result.result.sample_size = sample_size;
	result.result.overhead = overhead;
	for (uint32_t i = 0; i < SS_MAX_SAMPLES; i++)
		result.result.ticks[i] = first_ticks + i;
	summary_add(summary, &result.record);
}

static void add_marked(struct summary *summary, uint32_t operation, uint32_t count, uint64_t begin, uint64_t end)
{
	struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)}, .operation = operation,
				     .count = count, .begin = begin, .end = end, .flags = BATCH_MARKED};

	summary_add(summary, &batch.record);
}

/* Without tracepoints; those have a test of their own. */
static const uint64_t all_observed = (UINT64_C(1) << STAT_FD_COUNT) - 1;

/* The k-th smallest of n, by counting. */
static double nearest_rank(const double *values, size_t n, double q)
{
	double best = -1;

	for (size_t i = 0; i < n; i++) {
		size_t not_above = 0;

		for (size_t j = 0; j < n; j++)
			not_above += values[j] <= values[i];
		if ((double)not_above >= q * (double)n && (best < 0 || values[i] < best))
			best = values[i];
	}
	return best;
}

static void quantiles(void **state)
{
	(void)state;
	srand(1);
	for (uint32_t n = 0; n <= SS_MAX_SAMPLES; n++) {
		struct summary *summary = summary_create();
		struct record_result result = {
			.record = {.type = RECORD_RESULT, .size = sizeof(result)},
			.result = {.operation = 5, .samples = n, .sample_size = 4, .overhead = 100}};
		double values[SS_MAX_SAMPLES];
		struct tick_summary ticks;

		assert_non_null(summary);
		for (uint32_t i = 0; i < SS_MAX_SAMPLES; i++)
			result.result.ticks[i] = 4 * (uint32_t)(rand() % 50) + 60;
		for (uint32_t i = 0; i < n; i++)
			values[i] = result.result.ticks[i] > 100
					    ? (result.result.ticks[i] - 100) / 4.0
					    : 0; /* never below zero */
		summary_add(summary, &result.record);
		summary_ticks(&summary->operations[5], &ticks);
		assert_int_equal(ticks.samples, n);
		if (n > 0) {
			assert_true(ticks.minimum == nearest_rank(values, n, 0));
			assert_true(ticks.median == nearest_rank(values, n, 0.5));
			assert_true(ticks.percentile99 == nearest_rank(values, n, 0.99));
		}
		summary_destroy(summary);
	}
}

/* What a guest says about samples is not believed. */
static void absurd_results(void **state)
{
	struct summary *summary = summary_create();
	struct tick_summary ticks;

	(void)state;
	assert_non_null(summary);
	add_result(summary, 1, UINT32_MAX, 10, 0, 1000, 0);
	summary_ticks(&summary->operations[1], &ticks);
	assert_int_equal(ticks.samples, SS_MAX_SAMPLES);
	add_result(summary, 2, 10, 0, 0, 1000, 0);
	summary_ticks(&summary->operations[2], &ticks);
	assert_int_equal(ticks.samples, 0);
	add_result(summary, SS_MAX_OPERATIONS, 1, 1, 0, 0, 0);
	assert_int_equal(summary->highest, SS_MAX_OPERATIONS);
	add_result(summary, SS_MAX_OPERATIONS + 1, 1, 1, 0, 0, 0);
	add_exit(summary, UINT32_MAX, LEVEL_VMM, EXIT_REASON_IO, 1);
	assert_int_equal(summary->highest, SS_MAX_OPERATIONS);
	assert_int_equal(summary->operations[0].exits[LEVEL_VMM], 1);
	add_exit(summary, 1, LEVEL_COUNT, EXIT_REASON_IO, 1);
	add_exit(summary, 1, UINT16_MAX, EXIT_REASON_IO, 1);
	add_exit(summary, 1, LEVEL_VMM, UINT16_MAX, 1);
	assert_int_equal(summary->operations[1].exits[LEVEL_VMM], 1);
	summary_destroy(summary);
	summary_destroy(NULL);
}

static void disagreement(void **state)
{
	struct record_result result = {.record = {.type = RECORD_RESULT, .size = sizeof(result)},
				       .result = {.operation = 2, .count = 1, .faults = 1, .vector = 14,
						  .error_code = 1}};
	struct summary *summary = summary_create();

	(void)state;
	assert_non_null(summary);
	summary_add(summary, &result.record);
	summary_add(summary, &result.record);
	assert_false(summary->operations[2].results_differ);
	result.result.error_code = 3;
	summary_add(summary, &result.record);
	assert_true(summary->operations[2].results_differ);
	add_result(summary, 1, 1, 1, 0, 5, 0x11);
	add_result(summary, 1, 1, 1, 0, 9, 0x11);
	assert_false(summary->operations[1].results_differ);
	add_result(summary, 1, 1, 1, 0, 9, 0x12);
	assert_true(summary->operations[1].results_differ);
	summary_destroy(summary);
}

/* Of two vCPUs, which have something else in the register that the value would have come from: that is not one if every
 * repetition faults. */
static void what_faults_every_time_has_no_value(void **state)
{
	static const struct {
		uint32_t faults;
		bool differ;
	} rows[] = {{0, true}, {999, true}, {1000, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int merged = 0; merged < 2; merged++) {
			struct record_result result = {.record = {.type = RECORD_RESULT, .size = sizeof(result)},
						       .result = {.operation = 2, .count = 1000, .vector = 13,
								  .faults = rows[i].faults, .value = 7}};
			struct summary *summary = summary_create(), *other = summary_create();

			assert_true(summary && other);
			summary_add(summary, &result.record);
			result.record.vcpu = 1;
			result.result.value = 8;
			summary_add(merged ? other : summary, &result.record);
			summary_merge(summary, other);
			assert_int_equal(summary->operations[2].results_differ, rows[i].differ);
			summary_destroy(summary);
			summary_destroy(other);
		}
}

/* Exits at L0: the closing bracket, the host's interrupts and the empty loop do not count. */
static void l0(void **state)
{
	static const struct {
		uint64_t exits, irqs, loop_exits;
		uint64_t wanted;
	} rows[] = {
		{1601, 600, 1, 1},   /* interrupts that would have been rounded up */
		{1001, 0, 1, 1},     /* one each, and the bracket */
		{1, 0, 1, 0},        /* only the bracket */
		{1021, 20, 1, 1},    /* twenty interrupts */
		{401, 0, 1, 0},      /* rounds down */
		{601, 0, 1, 1},      /* rounds up */
		{5001, 0, 3001, 2},  /* three in the loop itself */
		{1, 50, 1, 0},       /* never below zero */
		{1001, 0, 5001, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct summary *summary = summary_create();
		const struct operation_summary *loop = &summary->operations[1];
		const struct operation_summary *operation = &summary->operations[2];
		uint64_t exits = 99;

		add_batch(summary, 1, 1000, all_observed, rows[i].loop_exits, 0);
		add_batch(summary, 2, 1000, all_observed, rows[i].exits, rows[i].irqs);
		assert_true(summary_exits(operation, loop, HOST_BACKEND_VMX, LEVEL_L0, &exits));
		assert_int_equal(exits, rows[i].wanted);
		summary_destroy(summary);
	}
}

/* One repetition per batch: the bracket would be as much as the operation itself. */
static void bracket(void **state)
{
	struct summary *summary = summary_create();
	uint64_t exits;

	(void)state;
	assert_non_null(summary);
	for (int i = 0; i < 5; i++) {
		add_batch(summary, 1, 1, all_observed, 1, 0);
		add_batch(summary, 2, 1, all_observed, 4, 0);
	}
	assert_true(summary_exits(&summary->operations[1], NULL, HOST_BACKEND_SVM, LEVEL_L0, &exits));
	assert_int_equal(exits, 0);
	assert_true(summary_exits(&summary->operations[2], NULL, HOST_BACKEND_SVM, LEVEL_L0, &exits));
	assert_int_equal(exits, 3);
	summary_destroy(summary);
}

/* Without the counter that would have seen an exit nothing is claimed. */
static void not_observed(void **state)
{
	const uint64_t without = all_observed & ~(UINT64_C(1) << STAT_exits);
	struct summary *summary = summary_create();
	const struct operation_summary *operation = &summary->operations[2];
	uint64_t exits = 99;

	(void)state;
	assert_non_null(summary);
	assert_false(summary_exits(operation, NULL, HOST_BACKEND_VMX, LEVEL_L0, &exits));
	assert_false(summary_exits(operation, NULL, HOST_BACKEND_VMX, LEVEL_VMM, &exits));
	assert_int_equal(summary_placement(operation, NULL, HOST_BACKEND_VMX), PLACEMENT_UNKNOWN);
	add_batch(summary, 2, 1000, all_observed, 1001, 0);
	assert_true(summary_exits(operation, NULL, HOST_BACKEND_VMX, LEVEL_L0, &exits));
	/* One batch without it is enough. */
	add_batch(summary, 2, 1000, without, 1001, 0);
	exits = 99;
	assert_false(summary_exits(operation, NULL, HOST_BACKEND_VMX, LEVEL_L0, &exits));
	assert_int_equal(exits, 99);
	/* This host has another counter, which was there. */
	assert_true(summary_exits(operation, NULL, HOST_BACKEND_PVM, LEVEL_L0, &exits));
	assert_int_equal(summary_placement(operation, NULL, HOST_BACKEND_VMX), PLACEMENT_UNKNOWN);
	add_batch(summary, 2, 1000, all_observed, 1001, 0);
	assert_false(summary_exits(operation, NULL, HOST_BACKEND_VMX, LEVEL_L0, &exits));
	summary_destroy(summary);
}

/* A tracepoint is better evidence than a counter: it leaves the host's own interrupts out. */
static void tracepoints_come_first(void **state)
{
	static const struct {
		enum host_backend backend;
		enum stat_id traced, counted;
	} rows[] = {
		{HOST_BACKEND_VMX, STAT_TRACE_FIRST + TRACE_kvm_exit, STAT_exits},
		{HOST_BACKEND_SVM, STAT_TRACE_FIRST + TRACE_kvm_exit, STAT_exits},
		{HOST_BACKEND_PVM, STAT_TRACE_FIRST + TRACE_kvm_emulate_insn, STAT_insn_emulation},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stat_values stats = {.observed = all_observed};

		assert_int_equal(summary_l0_counter(&stats, rows[i].backend), rows[i].counted);
		stats.observed |= UINT64_C(1) << rows[i].traced;
		assert_int_equal(summary_l0_counter(&stats, rows[i].backend), rows[i].traced);
	}
}

static void placement(void **state)
{
	static const struct {
		unsigned l0, monitor, vmm;
		enum placement wanted;
	} rows[] = {
		{0, 0, 0, PLACEMENT_CPU},         {1, 0, 0, PLACEMENT_L0},
		{1, 1, 0, PLACEMENT_MONITOR},     {2, 1, 1, PLACEMENT_VMM},
		{0, 0, 1, PLACEMENT_VMM},         {0, 1, 0, PLACEMENT_MONITOR},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct summary *summary = summary_create();

		assert_non_null(summary);
		add_batch(summary, 3, 10, all_observed, 10 * rows[i].l0 + 1, 0);
		for (unsigned j = 0; j < 10 * rows[i].monitor; j++)
			add_exit(summary, 3, LEVEL_MONITOR, EXIT_REASON_IO, 7);
		for (unsigned j = 0; j < 10 * rows[i].vmm; j++)
			add_exit(summary, 3, LEVEL_VMM, EXIT_REASON_IO, 7);
		assert_int_equal(summary_placement(&summary->operations[3], NULL, HOST_BACKEND_SVM),
				 rows[i].wanted);
		/* Only exits to the VMM cost us handling. */
		assert_int_equal(summary->operations[3].handling_ticks, 70 * rows[i].vmm);
		assert_int_equal(summary->operations[3].reasons[EXIT_REASON_IO], 10 * rows[i].vmm);
		summary_destroy(summary);
	}
}

static void random_record(struct summary *a, struct summary *b)
{
	uint32_t operation = (uint32_t)rand() % 6, choice = (uint32_t)rand() % 4;
	struct record_violation violation = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(violation)},
		.operation = operation};
	uint32_t x = (uint32_t)rand() % 1000, y = (uint32_t)rand() % 8;

	for (struct summary *s = a; s; s = s == a ? b : NULL) {
		if (choice == 0)
			add_exit(s, operation, (uint16_t)(y % LEVEL_COUNT), (uint16_t)(y + 1), x);
		else if (choice == 1)
			add_batch(s, operation, 10, x % 3 ? all_observed : 0x1234, x, y);
		else if (choice == 2)
			add_result(s, operation, y, 10, 5, x, y);
		else
			summary_add(s, &violation.record);
	}
}

static void expect_equal(const struct summary *a, const struct summary *b)
{
	assert_int_equal(a->highest, b->highest);
	for (size_t i = 0; i <= SS_MAX_OPERATIONS; i++) {
		const struct operation_summary *x = &a->operations[i], *y = &b->operations[i];
		struct tick_summary p, q;

		assert_int_equal(x->batches, y->batches);
		assert_int_equal(x->repetitions, y->repetitions);
		assert_memory_equal(x->exits, y->exits, sizeof(x->exits));
		assert_memory_equal(x->reasons, y->reasons, sizeof(x->reasons));
		assert_int_equal(x->handling_ticks, y->handling_ticks);
		assert_int_equal(x->violations, y->violations);
		assert_memory_equal(&x->stats, &y->stats, sizeof(x->stats));
		assert_int_equal(x->result_known, y->result_known);
		assert_int_equal(x->results_differ, y->results_differ);
		assert_memory_equal(&x->result, &y->result, sizeof(x->result));
		summary_ticks(x, &p);
		summary_ticks(y, &q);
		assert_memory_equal(&p, &q, sizeof(p));
	}
}

static void add_violation(struct summary *summary, uint32_t operation, uint64_t gpa, uint16_t answer)
{
	struct record_violation record = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(record)},
		.operation = operation, .view = 1, .access = VIEW_WRITE, .gpa = gpa, .gva = gpa + 1,
		.rip = 7, .answer = answer, .flags = VIOLATION_GVA_KNOWN,
	};

	/* As a file may have it: no end. */
	memset(record.region, 'r', sizeof(record.region));
	memset(record.symbol, 's', sizeof(record.symbol));
	summary_add(summary, &record.record);
}

/* Equal ones are counted together, with what the first of them said; past the limit only their number is
 * known. */
static void violations(void **state)
{
	struct summary *summary = summary_create(), *other = summary_create();

	(void)state;
	assert_true(summary && other);
	for (int i = 0; i < 3; i++)
		add_violation(summary, 1, 0x1000, VIOLATION_REFUSED);
	add_violation(summary, 1, 0x1000, VIOLATION_FAULTED);
	add_violation(summary, 2, 0x1000, VIOLATION_REFUSED);
	add_violation(other, 1, 0x1000, VIOLATION_REFUSED);
	summary_merge(summary, other);
	assert_int_equal(other->violation_count, 0);
	assert_int_equal(summary->violation_count, 3);
	assert_int_equal(summary->violations[0].count, 4);
	assert_int_equal(summary->violations[0].record.gva, 0x1001);
	assert_int_equal(strlen(summary->violations[0].record.region), RECORD_NAME_SIZE - 1);
	assert_int_equal(strlen(summary->violations[0].record.symbol), RECORD_NAME_SIZE - 1);
	assert_int_equal(summary->violations[1].record.answer, VIOLATION_FAULTED);
	assert_int_equal(summary->violations[2].record.operation, 2);
	for (uint64_t i = 0; i < 2 * SUMMARY_VIOLATIONS_MAX; i++)
		add_violation(summary, 3, 0x2000 + i, VIOLATION_REFUSED);
	assert_int_equal(summary->violation_count, SUMMARY_VIOLATIONS_MAX);
	assert_int_equal(summary->operations[3].violations, 2 * SUMMARY_VIOLATIONS_MAX);
	summary_destroy(summary);
	summary_destroy(other);
}

static void add_instruction(struct summary *summary, uint32_t operation, uint64_t gpa, uint64_t value)
{
	const struct record_instruction record = {
		.record = {.type = RECORD_INSTRUCTION, .size = sizeof(record)},
		.operation = operation, .view = 1, .access = VIEW_WRITE, .gpa = gpa, .rip = 7,
		.value = value, .value_size = 4,
	};

	summary_add(summary, &record.record);
}

static void add_source(struct summary *summary, uint64_t rip, const char *text)
{
	struct record_source record = {.record = {.type = RECORD_SOURCE, .size = sizeof(record)}, .rip = rip};

	/* As a file may have it: no end. */
	memset(record.text, 'x', sizeof(record.text));
	memcpy(record.text, text, strlen(text));
	summary_add(summary, &record.record);
}

/* An instruction is that of its violation alone, and the first one counts. */
static void instructions(void **state)
{
	struct summary *summary = summary_create(), *other = summary_create();
	const struct violation_summary *rows = summary->violations;

	(void)state;
	assert_true(summary && other);
	add_violation(summary, 1, 0x1000, VIOLATION_REFUSED);
	add_instruction(summary, 1, 0x1000, 0x41);
	add_violation(summary, 2, 0x1000, VIOLATION_REFUSED);
	add_violation(summary, 1, 0x2000, VIOLATION_REFUSED);
	add_instruction(summary, 1, 0x2000, 0x42);
	add_instruction(summary, 1, 0x3000, 0x43);
	assert_int_equal(rows[0].instruction.value, 0x41);
	assert_int_equal(rows[1].instruction.record.type, RECORD_INVALID);
	assert_int_equal(rows[2].instruction.value, 0x42);
	add_instruction(summary, 1, 0x1000, 0x46);
	assert_int_equal(rows[0].instruction.value, 0x41);
	add_source(summary, 7, "file.c:12");
	assert_int_equal(strlen(rows[0].source), RECORD_SOURCE_SIZE - 1);
	add_source(summary, 8, "other");
	assert_memory_equal(rows[2].source, "file.c:12", 9);
	add_violation(other, 1, 0x1000, VIOLATION_REFUSED);
	add_instruction(other, 1, 0x1000, 0x44);
	add_violation(other, 2, 0x1000, VIOLATION_REFUSED);
	add_instruction(other, 2, 0x1000, 0x45);
	summary_merge(summary, other);
	assert_int_equal(rows[0].instruction.value, 0x41);
	assert_int_equal(rows[1].instruction.value, 0x45);
	summary_destroy(summary);
	summary_destroy(other);
}

/* Two summaries merged say the same as one that saw everything. */
static void merge(void **state)
{
	(void)state;
	srand(2);
	for (int run = 0; run < 300; run++) {
		struct summary *all = summary_create(), *first = summary_create();
		struct summary *second = summary_create(), *empty = summary_create();

		assert_true(all && first && second && empty);
		for (int i = 0; i < run % 40; i++)
			random_record(all, first);
		for (int i = 0; i < run % 37; i++)
			random_record(all, second);
		summary_merge(first, second);
		expect_equal(first, all);
		expect_equal(second, empty);
		summary_merge(first, empty);
		expect_equal(first, all);
		summary_destroy(all);
		summary_destroy(first);
		summary_destroy(second);
		summary_destroy(empty);
	}
}

/* exit.def: every number up to the largest has a key that is a word, each its own. */
static void reasons(void **state)
{
	(void)state;
	assert_string_equal(exit_reason_key(0), "unknown");
	for (uint32_t i = 0; i < EXIT_REASON_COUNT; i++) {
		const char *key = exit_reason_keys[i];

		assert_non_null(key);
		assert_int_not_equal(strlen(key), 0);
		assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(key));
		assert_ptr_equal(exit_reason_key(i), key);
		for (uint32_t j = 0; j < i; j++)
			assert_string_not_equal(key, exit_reason_keys[j]);
	}
	assert_string_equal(exit_reason_key(EXIT_REASON_COUNT), "?");
	assert_string_equal(exit_reason_key(UINT32_MAX), "?");
}

/* A guest that reports for ever: memory does not grow, and the first samples are kept. */
static void bounded(void **state)
{
	struct summary *summary = summary_create_bounded(2), *all = summary_create();
	const float *where = summary->pool + 2 * SUMMARY_SAMPLES_MAX;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		add_result(summary, 2, SS_MAX_SAMPLES, 1, 0, i * 1000, 7);
		add_result(summary, 3, SS_MAX_SAMPLES, 1, 0, 0, 7);
	}
	assert_ptr_equal(summary->operations[2].samples, where);
	assert_int_equal(summary->operations[2].sample_count, SUMMARY_SAMPLES_MAX);
	assert_int_equal(summary->operations[2].samples[SUMMARY_SAMPLES_MAX - 1],
			 7000 + SS_MAX_SAMPLES - 1);
	assert_int_equal(summary->operations[3].sample_count, 0);
	assert_true(summary->operations[3].result_known);
	assert_true(summary->samples_dropped);
	summary_merge(all, summary);
	assert_int_equal(all->operations[2].sample_count, SUMMARY_SAMPLES_MAX);
	assert_int_equal(summary->operations[2].sample_count, 0);
	add_result(summary, 2, 3, 1, 0, 5, 7);
	assert_int_equal(summary->operations[2].sample_count, 3);
	assert_ptr_equal(summary->operations[2].samples, where);
	summary_destroy(summary);
	summary_destroy(all);
}

/* What the guest has marked took the time from the beginning to the end of each batch. */
static void marked_batches_are_samples(void **state)
{
	struct summary *summary = summary_create(), *bounded = summary_create_bounded(SS_MAX_OPERATIONS);
	struct tick_summary ticks;

	(void)state;
	assert_non_null(summary);
	assert_non_null(bounded);
	for (uint64_t i = 1; i <= 1000; i++)
		add_marked(summary, 3, 1, 5000 * i, 5000 * i + i);
	add_batch(summary, 4, 1, 0, 0, 0);
	summary_ticks(&summary->operations[3], &ticks);
	assert_true(summary->operations[3].marked);
	assert_int_equal(summary->operations[3].repetitions, 1000);
	assert_int_equal(ticks.samples, 1000);
	assert_true(ticks.minimum == 1 && ticks.median == 500 && ticks.percentile99 == 990 && ticks.total == 500500);
	summary_ticks(&summary->operations[4], &ticks);
	assert_false(summary->operations[4].marked);
	assert_int_equal(ticks.samples, 0);
	/* What no run has written. */
	add_marked(summary, 5, 0, 1, 9);
	add_marked(summary, 5, 1, 9, 1);
	assert_int_equal(summary->operations[5].sample_count, 0);
	assert_int_equal(summary->operations[5].batches, 2);
	/* In a thread, as many as there is room for. */
	for (uint64_t i = 0; i <= SUMMARY_SAMPLES_MAX; i++)
		add_marked(bounded, SS_MAX_OPERATIONS, 1, 1, 3);
	assert_true(bounded->samples_dropped);
	summary_merge(summary, bounded);
	assert_true(summary->operations[SS_MAX_OPERATIONS].marked);
	assert_int_equal(summary->operations[SS_MAX_OPERATIONS].repetitions, SUMMARY_SAMPLES_MAX + 1);
	assert_int_equal(summary->operations[SS_MAX_OPERATIONS].sample_count, SUMMARY_SAMPLES_MAX);
	summary_destroy(summary);
	summary_destroy(bounded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked_batches_are_samples),
		cmocka_unit_test(quantiles),    cmocka_unit_test(absurd_results),
		cmocka_unit_test(disagreement), cmocka_unit_test(l0),
		cmocka_unit_test(what_faults_every_time_has_no_value), cmocka_unit_test(not_observed),
		cmocka_unit_test(tracepoints_come_first), cmocka_unit_test(placement),
		cmocka_unit_test(violations),
		cmocka_unit_test(instructions),
		cmocka_unit_test(merge),        cmocka_unit_test(reasons),
		cmocka_unit_test(bracket),      cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
