/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/ledger/summary.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct summary *summary_create(void)
{
	return calloc(1, sizeof(struct summary));
}

struct summary *summary_create_bounded(size_t operations)
{
	struct summary *summary = summary_create();

	assert(operations <= SS_MAX_OPERATIONS);
	if (!summary)
		return NULL;
	/* Pages that no sample reaches are never there. */
	summary->pool = calloc(operations + 1, SUMMARY_SAMPLES_MAX * sizeof(float));
	if (!summary->pool) {
		free(summary);
		return NULL;
	}
	summary->pooled = operations;
	return summary;
}

void summary_destroy(struct summary *summary)
{
	if (!summary)
		return;
	for (size_t i = 0; i <= summary->highest && !summary->pool; i++)
		free(summary->operations[i].samples);
	free(summary->pool);
	free(summary);
}

struct summary **summaries_create(size_t count)
{
	struct summary **summaries = calloc(count + 1, sizeof(*summaries));

	for (size_t i = 0; summaries && i < count; i++) {
		summaries[i] = summary_create();
		if (!summaries[i]) {
			summaries_destroy(summaries);
			return NULL;
		}
	}
	return summaries;
}

void summaries_destroy(struct summary **summaries)
{
	for (size_t i = 0; summaries && summaries[i]; i++)
		summary_destroy(summaries[i]);
	free(summaries);
}

static struct operation_summary *operation_of(struct summary *summary, uint32_t number)
{
	if (number > SS_MAX_OPERATIONS)
		number = 0;
	if (number > summary->highest)
		summary->highest = number;
	return &summary->operations[number];
}

/* Not before there is a sample: operations that a guest never performs cost no memory. */
static bool take_from_pool(const struct summary *summary, struct operation_summary *operation, size_t wanted)
{
	const size_t number = (size_t)(operation - summary->operations);

	if (number > summary->pooled || wanted > SUMMARY_SAMPLES_MAX)
		return false;
	operation->samples = summary->pool + number * SUMMARY_SAMPLES_MAX;
	operation->sample_capacity = SUMMARY_SAMPLES_MAX;
	return true;
}

static bool grow_samples(const struct summary *summary, struct operation_summary *operation,
			 size_t more)
{
	size_t wanted = operation->sample_count + more;
	float *samples;

	if (wanted <= operation->sample_capacity)
		return true;
	if (summary->pool)
		return take_from_pool(summary, operation, wanted);
	wanted += wanted / 2;
	samples = realloc(operation->samples, wanted * sizeof(*samples));
	if (!samples)
		return false;
	operation->samples = samples;
	operation->sample_capacity = wanted;
	return true;
}

static void add_exit(struct summary *summary, const struct record_exit *exit)
{
	struct operation_summary *operation = operation_of(summary, exit->operation);

	if (exit->record.level >= LEVEL_COUNT)
		return;
	operation->exits[exit->record.level]++;
	if (exit->record.level != LEVEL_VMM)
		return;
	operation->handling_ticks += exit->cost;
	if (exit->reason < EXIT_REASON_COUNT)
		operation->reasons[exit->reason]++;
}

/* A mark is one sample, of one repetition. */
static void add_marked(struct summary *summary, struct operation_summary *operation, const struct record_batch *batch)
{
	operation->marked = true;
	if (batch->count == 0 || batch->end < batch->begin)
		return;
	if (grow_samples(summary, operation, 1))
		operation->samples[operation->sample_count++] =
			(float)(batch->end - batch->begin) / (float)batch->count;
	else
		summary->samples_dropped = true;
}

static void add_batch(struct summary *summary, const struct record_batch *batch)
{
	struct operation_summary *operation = operation_of(summary, batch->operation);
	uint64_t observed = batch->observed & ((UINT64_C(1) << STAT_COUNT) - 1);

	/* A counter counts only if every batch had it. */
	operation->stats.observed = operation->batches ? operation->stats.observed & observed : observed;
	for (int i = 0; i < STAT_COUNT; i++)
		operation->stats.value[i] += batch->value[i];
	operation->view = batch->view;
	operation->batches++;
	operation->repetitions += batch->count;
	if (batch->flags & BATCH_MARKED)
		add_marked(summary, operation, batch);
}

/* What faults every time has no value, but what a register happened to hold. */
static bool same_result(const struct ss_result *a, const struct ss_result *b)
{
	return a->count == b->count && a->faults == b->faults && a->vector == b->vector &&
	       a->error_code == b->error_code && (a->value == b->value || a->faults >= a->count) && a->early == b->early;
}

static void add_result(struct summary *summary, const struct ss_result *result)
{
	struct operation_summary *operation = operation_of(summary, result->operation);
	size_t samples = result->samples < SS_MAX_SAMPLES ? result->samples : SS_MAX_SAMPLES;

	if (operation->result_known && !same_result(&operation->result, result))
		operation->results_differ = true;
	operation->result_known = true;
	operation->result = *result;
	if (result->sample_size == 0)
		return;
	if (!grow_samples(summary, operation, samples)) {
		summary->samples_dropped = true;
		return;
	}
	for (size_t i = 0; i < samples; i++) {
		uint32_t ticks = result->ticks[i];

		ticks = ticks > result->overhead ? ticks - result->overhead : 0;
		operation->samples[operation->sample_count++] =
			(float)ticks / (float)result->sample_size;
	}
}

static bool same_violation(const struct record_violation *a, const struct record_violation *b)
{
	return a->operation == b->operation && a->view == b->view && a->access == b->access &&
	       a->gpa == b->gpa && a->rip == b->rip && a->answer == b->answer;
}

/* The entry for such violations; NULL: there are too many kinds of them. */
static struct violation_summary *find_violation(struct summary *summary, const struct record_violation *record)
{
	struct violation_summary *violation;

	for (size_t i = 0; i < summary->violation_count; i++)
		if (same_violation(&summary->violations[i].record, record))
			return &summary->violations[i];
	if (summary->violation_count == SUMMARY_VIOLATIONS_MAX)
		return NULL;
	violation = &summary->violations[summary->violation_count++];
	*violation = (struct violation_summary){.record = *record};
	violation->record.region[RECORD_NAME_SIZE - 1] = '\0';
	violation->record.symbol[RECORD_NAME_SIZE - 1] = '\0';
	return violation;
}

static void add_violation(struct summary *summary, const struct record_violation *record)
{
	struct violation_summary *violation = find_violation(summary, record);

	operation_of(summary, record->operation)->violations++;
	if (violation)
		violation->count++;
}

static void note_instruction(struct violation_summary *violation, const struct record_instruction *instruction)
{
	if (violation->instruction.record.type == RECORD_INVALID)
		violation->instruction = *instruction;
}

static void add_instruction(struct summary *summary, const struct record_instruction *instruction)
{
	for (size_t i = 0; i < summary->violation_count; i++) {
		const struct record_violation *record = &summary->violations[i].record;

		if (record->rip == instruction->rip && record->gpa == instruction->gpa &&
		    record->view == instruction->view && record->access == instruction->access &&
		    record->operation == instruction->operation)
			note_instruction(&summary->violations[i], instruction);
	}
}

static void add_source(struct summary *summary, const struct record_source *source)
{
	for (size_t i = 0; i < summary->violation_count; i++)
		if (summary->violations[i].record.rip == source->rip)
			snprintf(summary->violations[i].source, RECORD_SOURCE_SIZE, "%.*s", RECORD_SOURCE_SIZE - 1,
				 source->text);
}

static void merge_violation(struct summary *into, const struct violation_summary *from)
{
	struct violation_summary *violation = find_violation(into, &from->record);

	if (!violation)
		return;
	violation->count += from->count;
	note_instruction(violation, &from->instruction);
	if (from->source[0])
		memcpy(violation->source, from->source, sizeof(violation->source));
}

static void count_disagreement(struct summary *summary, const struct disagreement *disagreement)
{
	for (size_t i = 0; i < summary->disagreement_count; i++) {
		struct disagreement *known = &summary->disagreements[i];

		if (known->marked != disagreement->marked || known->rip != disagreement->rip)
			continue;
		known->count += disagreement->count;
		return;
	}
	if (summary->disagreement_count < SUMMARY_DISAGREEMENTS_MAX)
		summary->disagreements[summary->disagreement_count++] = *disagreement;
}

static void add_l0_exit(struct summary *summary, const struct record_l0_exit *exit)
{
	struct l0_summary *l0 = &operation_of(summary, exit->operation)->l0;

	l0->exits++;
	for (int bit = 0; bit < L0_FLAG_COUNT; bit++)
		l0->flags[bit] += exit->flags >> bit & 1;
	if (exit->agreement < AGREEMENT_COUNT)
		l0->agreement[exit->agreement]++;
	if (exit->agreement == AGREEMENT_DIFFERS)
		count_disagreement(summary, &(struct disagreement){exit->operation, exit->routine,
								   exit->rip, 1});
}

static void add_interrupt(struct summary *summary, const struct record_interrupt *interrupt)
{
	if (interrupt->vector < INTERRUPT_VECTORS && interrupt->event < INTERRUPT_EVENT_COUNT)
		summary->interrupts[interrupt->vector][interrupt->event]++;
}

static void add_pin(struct pin_summary *pins, const struct record_pin *pin)
{
	if (pin->event >= PIN_EVENT_COUNT)
		return;
	pins->count[pin->event]++;
	if (pin->total > pins->most)
		pins->most = pin->total;
	if (pin->event == PIN_HOST_REFUSED) {
		pins->host_error = pin->status < 0 && pin->status > -4096 ? -pin->status : 0;
		pins->limit = pin->limit;
	}
}

/* By itself, so that an exit does not save the registers that these need. */
__attribute__((noinline)) static void add_other(struct summary *summary, const struct record *record)
{
	switch (record->type) {
	case RECORD_BATCH:
		add_batch(summary, (const void *)record);
		break;
	case RECORD_RESULT:
		add_result(summary, &((const struct record_result *)record)->result);
		break;
	case RECORD_VIOLATION:
		add_violation(summary, (const void *)record);
		break;
	case RECORD_INSTRUCTION:
		add_instruction(summary, (const void *)record);
		break;
	case RECORD_SOURCE:
		add_source(summary, (const void *)record);
		break;
	case RECORD_L0_EXIT:
		add_l0_exit(summary, (const void *)record);
		break;
	case RECORD_INTERRUPT:
		add_interrupt(summary, (const void *)record);
		break;
	case RECORD_PIN:
		add_pin(&summary->pins, (const void *)record);
		break;
	default:
		break;
	}
}

void summary_add(struct summary *summary, const struct record *record)
{
	if (record->type == RECORD_EXIT)
		add_exit(summary, (const void *)record);
	else
		add_other(summary, record);
}

static void merge_l0(struct l0_summary *into, const struct l0_summary *from)
{
	into->exits += from->exits;
	for (int bit = 0; bit < L0_FLAG_COUNT; bit++)
		into->flags[bit] += from->flags[bit];
	for (int i = 0; i < AGREEMENT_COUNT; i++)
		into->agreement[i] += from->agreement[i];
}

void summary_l0(const struct summary *summary, struct l0_summary *ret_sum)
{
	*ret_sum = (struct l0_summary){0};
	for (size_t i = 0; i <= summary->highest; i++)
		merge_l0(ret_sum, &summary->operations[i].l0);
}

static void merge_operation(struct summary *summary, struct operation_summary *into,
			    const struct operation_summary *from)
{
	if (from->batches)
		into->stats.observed = into->batches ? into->stats.observed & from->stats.observed
						     : from->stats.observed;
	for (int i = 0; i < STAT_COUNT; i++)
		into->stats.value[i] += from->stats.value[i];
	for (int i = 0; i < LEVEL_COUNT; i++)
		into->exits[i] += from->exits[i];
	for (int i = 0; i < EXIT_REASON_COUNT; i++)
		into->reasons[i] += from->reasons[i];
	if (from->batches)
		into->view = from->view;
	into->batches += from->batches;
	into->marked |= from->marked;
	into->repetitions += from->repetitions;
	into->handling_ticks += from->handling_ticks;
	into->violations += from->violations;
	merge_l0(&into->l0, &from->l0);
	if (from->result_known) {
		into->results_differ |= from->results_differ ||
					(into->result_known &&
					 !same_result(&into->result, &from->result));
		into->result_known = true;
		into->result = from->result;
	}
	if (from->sample_count == 0)
		return;
	if (grow_samples(summary, into, from->sample_count)) {
		memcpy(into->samples + into->sample_count, from->samples,
		       from->sample_count * sizeof(float));
		into->sample_count += from->sample_count;
	} else {
		summary->samples_dropped = true;
	}
}

static void merge_interrupts(struct summary *into, const struct summary *from)
{
	for (unsigned vector = 0; vector < INTERRUPT_VECTORS; vector++)
		for (int event = 0; event < INTERRUPT_EVENT_COUNT; event++)
			into->interrupts[vector][event] += from->interrupts[vector][event];
}

static void merge_pins(struct pin_summary *into, const struct pin_summary *from)
{
	for (int event = 0; event < PIN_EVENT_COUNT; event++)
		into->count[event] += from->count[event];
	if (from->most > into->most)
		into->most = from->most;
	if (from->count[PIN_HOST_REFUSED]) {
		into->host_error = from->host_error;
		into->limit = from->limit;
	}
}

static void empty(const struct summary *summary, struct operation_summary *operation)
{
	struct operation_summary none = {0};

	if (summary->pool) {
		none.samples = operation->samples;
		none.sample_capacity = operation->sample_capacity;
	} else {
		free(operation->samples);
	}
	*operation = none;
}

void summary_include(struct summary *into, const struct summary *from)
{
	merge_interrupts(into, from);
	merge_pins(&into->pins, &from->pins);
	for (size_t i = 0; i <= from->highest; i++)
		merge_operation(into, &into->operations[i], &from->operations[i]);
	for (size_t i = 0; i < from->violation_count; i++)
		merge_violation(into, &from->violations[i]);
	for (size_t i = 0; i < from->disagreement_count; i++)
		count_disagreement(into, &from->disagreements[i]);
	if (from->highest > into->highest)
		into->highest = from->highest;
	into->samples_dropped |= from->samples_dropped;
}

void summary_merge(struct summary *into, struct summary *from)
{
	summary_include(into, from);
	for (size_t i = 0; i <= from->highest; i++)
		empty(from, &from->operations[i]);
	memset(from->interrupts, 0, sizeof(from->interrupts));
	from->pins = (struct pin_summary){0};
	from->violation_count = 0;
	from->disagreement_count = 0;
	from->highest = 0;
}

enum stat_id summary_l0_counter(const struct stat_values *stats, enum host_backend backend)
{
	/* The pvm backend interprets CPL 0: there is no hardware exit per instruction to count. */
	bool interpreted = backend == HOST_BACKEND_PVM;
	enum stat_id traced = stat_of_trace(interpreted ? TRACE_kvm_emulate_insn : TRACE_kvm_exit);

	if (stat_observed(stats, traced))
		return traced;
	return interpreted ? STAT_insn_emulation : STAT_exits;
}

/* Events at L0 over all repetitions, without the host's own interrupts and the closing bracket,
 * which is one port access per batch. */
static bool l0_events(const struct operation_summary *operation, enum host_backend backend,
		      double *ret_events)
{
	const struct stat_values *stats = &operation->stats;
	enum stat_id counter = summary_l0_counter(stats, backend);
	double events;

	if (operation->repetitions == 0 || !stat_observed(stats, counter))
		return false;
	events = (double)stats->value[counter] - (double)operation->batches;
	if (counter == STAT_exits && stat_observed(stats, STAT_irq_exits))
		events -= (double)stats->value[STAT_irq_exits];
	*ret_events = events > 0 ? events : 0;
	return true;
}

uint64_t summary_whole(double number)
{
	/* 2^64 and more have no place in the type, nor has what is no number. */
	if (!(number > 0))
		return 0;
	return number < 0x1p63 ? (uint64_t)(number + 0.5) : INT64_MAX;
}

bool summary_exits_total(const struct operation_summary *operation,
			 const struct operation_summary *loop, enum host_backend backend,
			 enum level level, double *ret_exits)
{
	double events, loop_events;

	if (level != LEVEL_L0) {
		*ret_exits = (double)operation->exits[level];
		return operation->repetitions != 0;
	}
	if (!l0_events(operation, backend, &events))
		return false;
	if (loop && l0_events(loop, backend, &loop_events))
		events -= loop_events / (double)loop->repetitions * (double)operation->repetitions;
	*ret_exits = events;
	return true;
}

bool summary_exits(const struct operation_summary *operation, const struct operation_summary *loop,
		   enum host_backend backend, enum level level, uint64_t *ret_exits)
{
	double total;

	if (!summary_exits_total(operation, loop, backend, level, &total))
		return false;
	*ret_exits = summary_whole(total / (double)operation->repetitions);
	return true;
}

enum placement summary_placement(const struct operation_summary *operation,
				 const struct operation_summary *loop, enum host_backend backend)
{
	static const enum placement placements[LEVEL_COUNT] = {PLACEMENT_L0, PLACEMENT_MONITOR,
							       PLACEMENT_VMM};
	uint64_t exits;

	for (int level = LEVEL_COUNT - 1; level >= 0; level--) {
		if (level == LEVEL_L0 && backend == HOST_BACKEND_BARE)
			break;
		if (!summary_exits(operation, loop, backend, (enum level)level, &exits))
			return PLACEMENT_UNKNOWN;
		if (exits > 0)
			return placements[level];
	}
	return PLACEMENT_CPU;
}
