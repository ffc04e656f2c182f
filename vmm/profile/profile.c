/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "vmm/analysis/ledger_index.h"
#include "vmm/base/neighbourhood.h"
#include "vmm/emulate/guest_code.h"
#include "vmm/vm/kernel_symbols.h"

/* Most addresses have one way to exit or two, one of them at L0. */
#define MNEMONICS_MAX (2 * CODE_CAPTURES_MAX)

int profile_counts_create(struct profile_counts *counts, enum group_key by)
{
	*counts = (struct profile_counts){
		.table = profile_table_create(by == GROUP_OPERATION ? PROFILE_ROWS_MAX : PROFILE_ROWS_MANY)};
	return counts->table ? 0 : -ENOMEM;
}

void profile_counts_destroy(struct profile_counts *counts)
{
	profile_table_destroy(counts->table);
	*counts = (struct profile_counts){0};
}

void profile_counts_merge(struct profile_counts *into, const struct profile_counts *from)
{
	profile_table_merge(into->table, from->table);
	into->l0_known |= from->l0_known;
	into->l0 += from->l0;
	for (size_t i = 0; i <= SS_MAX_OPERATIONS; i++)
		into->batch[i] += from->batch[i];
}

void profile_counts_clear(struct profile_counts *counts)
{
	profile_table_clear(counts->table);
	*counts = (struct profile_counts){.table = counts->table};
}

int profile_create(struct profile *profile, enum host_backend backend, enum group_key by, int fd)
{
	*profile = (struct profile){
		.backend = backend,
		.by = by,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.fd = fd,
	};
	return profile_counts_create(&profile->fresh, by);
}

void profile_destroy(struct profile *profile)
{
	profile_counts_destroy(&profile->fresh);
	pthread_mutex_destroy(&profile->lock);
	*profile = (struct profile){.fd = -1};
}

/* Exits at L0 among counters, or what stands for them; false if nobody counts them. */
static bool l0_of(const struct stat_values *values, enum host_backend backend, uint64_t *ret_count)
{
	enum stat_id counter = summary_l0_counter(values, backend);

	if (!stat_observed(values, counter))
		return false;
	*ret_count = values->value[counter];
	if (counter == STAT_exits && stat_observed(values, STAT_irq_exits))
		*ret_count -= values->value[STAT_irq_exits];
	return true;
}

bool profile_by_known(enum group_key by)
{
	return by == GROUP_OPERATION || by == GROUP_REASON || by == GROUP_RIP || by == GROUP_SYMBOL ||
	       by == GROUP_LEVEL || by == GROUP_VCPU || by == GROUP_INSTRUCTION;
}

uint64_t profile_vcpu_value(unsigned vm, unsigned vcpu)
{
	return (uint64_t)vm << 32 | vcpu;
}

struct profile_key profile_key_of(enum group_key by, const struct profile_exit *exit)
{
	struct profile_key key = {.level = exit->level, .nested = exit->nested};

	switch (by) {
	case GROUP_RIP:
		key.value = exit->rip;
		break;
	case GROUP_SYMBOL:
		key.value = exit->symbol ? exit->symbol : neighbourhood_of(exit->rip);
		key.reason = exit->symbol ? PROFILE_SYMBOL : PROFILE_NEIGHBOURHOOD;
		break;
	case GROUP_VCPU:
		key.value = profile_vcpu_value(exit->vm, exit->vcpu);
		break;
	case GROUP_INSTRUCTION:
		key.value = exit->instruction;
		break;
	case GROUP_LEVEL:
		break;
	default:
		key.reason = exit->reason;
		key.isa = exit->isa;
	}
	if (by != GROUP_OPERATION)
		return key;
	key.operation = exit->operation;
	key.value = exit->operation ? 0 : exit->symbol;
	return key;
}

static void add_batch(struct profile_vcpu *own, const struct record_batch *batch)
{
	struct stat_values values = {.observed = batch->observed};
	uint64_t count;

	for (int i = 0; i < STAT_COUNT; i++)
		values.value[i] = batch->value[i];
	/* The exit that ends a batch is none of the operation's. */
	if (batch->operation <= SS_MAX_OPERATIONS && l0_of(&values, own->profile->backend, &count) &&
	    count > 0)
		own->own.batch[batch->operation] += count - 1;
}

/* The image's, or the kernel's that it lies in wherever that was moved to: where it begins in memory of ours. */
static uint64_t symbol_of(const struct profile_vcpu *own, uint64_t rip)
{
	const enum group_key by = own->profile->by;
	uint64_t offset;

	return by == GROUP_SYMBOL || by == GROUP_OPERATION
		       ? (uintptr_t)kernel_symbols_at(own->vcpu->vm, rip, &offset)
		       : 0;
}

/* By the code that was there at the first exit, as in the report of a ledger. */
static uint32_t instruction_of(struct profile_vcpu *own, const struct record *record)
{
	struct record_exit exit;
	int64_t number;

	if (!own->codes || !ledger_index_exit(record, &exit))
		return 0;
	number = keyset_find(&own->places, (struct key){exit.rip, 0});
	return disassembly_mnemonics_find(&own->mnemonics, number < 0 ? NULL : &own->codes[number], &exit,
					  own->profile->backend);
}

/* No more than CODE_CAPTURES_MAX come, each of another address. */
static void add_code(struct profile_vcpu *own, const struct record_code *code)
{
	if (own->codes)
		own->codes[keyset_add(&own->places, (struct key){code->rip, 0})] = *code;
}

static void add_exit(struct profile_vcpu *own, const struct record *record, struct profile_exit *exit, uint32_t cost)
{
	struct profile_key key;

	exit->vm = record->vm;
	exit->vcpu = record->vcpu;
	exit->level = (uint8_t)record->level;
	if (own->by_operation) {
		key = (struct profile_key){.operation = exit->operation, .reason = exit->reason,
					   .level = exit->level, .isa = exit->isa};
	} else {
		exit->symbol = symbol_of(own, exit->rip);
		exit->instruction = instruction_of(own, record);
		key = profile_key_of(own->profile->by, exit);
	}
	profile_table_add(own->own.table, &key, cost);
}

static void add(struct record_watch *watch, const struct record *record)
{
	struct profile_vcpu *own = (struct profile_vcpu *)watch;
	const struct record_exit *exit = (const void *)record;
	const struct record_l0_exit *l0 = (const void *)record;
	struct profile_exit what;

	switch (record->type) {
	case RECORD_EXIT:
		what = (struct profile_exit){.rip = exit->rip, .operation = exit->operation, .reason = exit->reason};
		add_exit(own, record, &what, exit->cost);
		break;
	case RECORD_L0_EXIT:
		what = (struct profile_exit){
			.rip = l0->rip, .operation = l0->operation, .reason = l0->reason, .isa = l0->isa};
		add_exit(own, record, &what, l0->cost);
		break;
	case RECORD_CODE:
		add_code(own, (const void *)record);
		break;
	case RECORD_BATCH:
		/* How many exits an operation had is of no use to any other division. */
		if (own->profile->by == GROUP_OPERATION)
			add_batch(own, (const void *)record);
		break;
	default:
		break;
	}
}

static void hand_over(struct record_watch *watch)
{
	struct profile_vcpu *own = (struct profile_vcpu *)watch;
	struct stat_values now, change = {0};
	uint64_t l0;

	recorder_counters(own->vcpu->recorder, &now);
	stats_accumulate(&change, &own->last, &now);
	own->last = now;
	own->own.l0_known = l0_of(&change, own->profile->backend, &l0);
	if (own->own.l0_known)
		own->own.l0 += l0;
	pthread_mutex_lock(&own->profile->lock);
	profile_counts_merge(&own->profile->fresh, &own->own);
	pthread_mutex_unlock(&own->profile->lock);
	profile_counts_clear(&own->own);
}

static void obey(struct record_watch *watch)
{
	struct profile_vcpu *own = (struct profile_vcpu *)watch;
	struct vcpu *vcpu = own->vcpu;
	unsigned wanted = atomic_load(&own->profile->wanted);

	if (recorder_trace_mode(vcpu->recorder) == TRACING_PART)
		recorder_switch(vcpu->recorder, atomic_load(&own->profile->recording));
	if (wanted == atomic_load(&own->done))
		return;
	if (vcpu->vm->ops->drain_finished)
		vcpu->vm->ops->drain_finished(vcpu);
	hand_over(watch);
	/* Told last: who is woken by it looks whether it is done. */
	atomic_store(&own->done, wanted);
	eventfd_write(own->profile->fd, 1);
}

static struct profile_vcpu *profile_of(const struct vcpu *vcpu)
{
	return (struct profile_vcpu *)vcpu->recorder->watch;
}

static int want_code(struct profile_vcpu *own)
{
	int rc = keyset_reserve(&own->places, CODE_CAPTURES_MAX);

	if (rc == 0)
		rc = disassembly_mnemonics_reserve(&own->mnemonics, MNEMONICS_MAX);
	if (rc == 0)
		rc = recorder_capture(own->vcpu->recorder, guest_code_fetch, own->vcpu);
	own->codes = calloc(CODE_CAPTURES_MAX, sizeof(*own->codes));
	return own->codes ? rc : -ENOMEM;
}

int profile_attach(struct profile *profile, struct vcpu *vcpu)
{
	struct profile_vcpu *own = calloc(1, sizeof(*own));
	int rc;

	if (!own)
		return -ENOMEM;
	own->watch = (struct record_watch){add, obey, hand_over};
	own->vcpu = vcpu;
	own->profile = profile;
	/* A guest without a catalogue is told apart by its functions, as far as it does not say what it does. */
	own->by_operation = profile->by == GROUP_OPERATION && vcpu->vm->plan->image.operation_count > 0;
	vcpu->recorder->watch = &own->watch;
	recorder_counters(vcpu->recorder, &own->last);
	rc = profile_counts_create(&own->own, profile->by);
	return rc == 0 && profile->by == GROUP_INSTRUCTION ? want_code(own) : rc;
}

void profile_detach(struct vcpu *vcpu)
{
	struct profile_vcpu *own = profile_of(vcpu);

	if (!own)
		return;
	profile_counts_destroy(&own->own);
	disassembly_mnemonics_finish(&own->mnemonics);
	keyset_finish(&own->places);
	free(own->codes);
	free(own);
	vcpu->recorder->watch = NULL;
}

bool profile_has_obeyed(const struct vcpu *vcpu, unsigned wanted)
{
	return atomic_load(&profile_of(vcpu)->done) == wanted;
}

void profile_take(struct profile *profile, struct profile_counts *into)
{
	pthread_mutex_lock(&profile->lock);
	profile_counts_merge(into, &profile->fresh);
	profile_counts_clear(&profile->fresh);
	pthread_mutex_unlock(&profile->lock);
}
