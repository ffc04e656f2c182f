/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/attach_record.h"

#include <stdio.h>

static uint8_t small(size_t number)
{
	return number > UINT8_MAX ? UINT8_MAX : (uint8_t)number;
}

static uint32_t saturate(uint64_t ns)
{
	return ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static struct record header(const struct attached_thread *thread, enum record_type type, size_t size, uint8_t level)
{
	return (struct record){
		.type = (uint16_t)type,
		.size = (uint16_t)size,
		.vm = small(thread->process),
		.vcpu = small(thread->vcpu),
		.level = level,
	};
}

static void append_l0(struct ledger *ledger, const struct attached_thread *thread, const struct attached_exit *exit)
{
	const struct record_l0_exit record = {
		.record = header(thread, RECORD_L0_EXIT, sizeof(record), exit->level),
		.time = exit->time,
		.rip = exit->rip,
		.info1 = exit->info1,
		.info2 = exit->info2,
		.cost = saturate(exit->cost),
		.reason = exit->reason,
		.isa = exit->isa,
		.flags = exit->flags,
	};

	ledger_append(ledger, &record.record);
}

static void append_exit(struct ledger *ledger, const struct attached_thread *thread, const struct attached_exit *exit)
{
	const struct record_exit record = {
		.record = header(thread, RECORD_EXIT, sizeof(record), exit->level),
		.time = exit->time,
		.rip = exit->rip,
		.cost = saturate(exit->cost),
		.reason = (uint16_t)exit->reason,
	};

	ledger_append(ledger, &record.record);
}

/* The name of an address, with the first exit there. */
static void append_name(struct attach_sink *sink, const struct attached_thread *thread, uint64_t rip,
			const char *name, uint64_t start)
{
	struct record_code code = {
		.record = header(thread, RECORD_CODE, sizeof(code), 0),
		.rip = rip,
		.offset = (uint32_t)(rip - start),
	};
	size_t known = sink->places.count;

	if (keyset_add(&sink->places, (struct key){rip, 0}) < 0 || sink->places.count == known)
		return;
	snprintf(code.symbol, sizeof(code.symbol), "%s", name);
	ledger_append(sink->ledger, &code.record);
}

void attach_record(struct attach_sink *sink, const struct attached_thread *thread,
		   const struct attached_exit *exit)
{
	struct profile_exit what = {
		.rip = exit->rip,
		.reason = exit->reason,
		.vm = (unsigned)thread->process,
		.vcpu = thread->vcpu,
		.level = exit->level,
		.isa = exit->isa,
		.nested = exit->nested,
	};
	const char *name = NULL;
	struct profile_key key;

	/* The files are of the guest that L0 runs: nobody knows what its own guests have at the same address. */
	if (sink->symbol && exit->rip && !exit->nested && (sink->by == GROUP_SYMBOL || sink->ledger))
		name = sink->symbol(sink->symbols, exit->rip, &what.symbol);
	if (!name)
		what.symbol = 0;
	key = profile_key_of(sink->by, &what);
	profile_table_add(sink->counts.table, &key, exit->cost);
	if (!sink->ledger)
		return;
	if (name)
		append_name(sink, thread, exit->rip, name, what.symbol);
	if (exit->level == LEVEL_L0)
		append_l0(sink->ledger, thread, exit);
	else
		append_exit(sink->ledger, thread, exit);
}
