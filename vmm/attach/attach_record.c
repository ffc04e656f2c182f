/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/attach/attach_record.h"

#include <stdio.h>
#include <string.h>

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
static void append_name(struct attachment *attachment, const struct attached_thread *thread, uint64_t rip,
			const char *name, uint64_t start)
{
	struct record_code code = {
		.record = header(thread, RECORD_CODE, sizeof(code), 0),
		.rip = rip,
		.offset = (uint32_t)(rip - start),
	};
	size_t known = attachment->places.count;

	if (keyset_add(&attachment->places, (struct key){rip, 0}) < 0 || attachment->places.count == known)
		return;
	snprintf(code.symbol, sizeof(code.symbol), "%s", name);
	ledger_append(attachment->request.ledger, &code.record);
}

void attach_record(struct attachment *attachment, const struct attached_thread *thread,
		   const struct attached_exit *exit)
{
	const struct attach_request *request = &attachment->request;
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
	if (request->symbol && exit->rip && !exit->nested && (request->by == GROUP_SYMBOL || request->ledger))
		name = request->symbol(request->symbols, exit->rip, &what.symbol);
	if (!name)
		what.symbol = 0;
	key = profile_key_of(request->by, &what);
	profile_table_add(attachment->fresh.table, &key, exit->cost);
	if (!request->ledger)
		return;
	if (name)
		append_name(attachment, thread, exit->rip, name, what.symbol);
	if (exit->level == LEVEL_L0)
		append_l0(request->ledger, thread, exit);
	else
		append_exit(request->ledger, thread, exit);
}

void attach_describe(const struct attachment *attachment, const char *kernel)
{
	struct ledger *ledger = attachment->request.ledger;
	char key[24], value[64];

	ledger_append_meta(ledger, "engine", "attached");
	ledger_append_meta(ledger, "backend", host_backend_keys[attachment->request.backend]);
	ledger_append_meta(ledger, "kernel", kernel);
	ledger_append_meta(ledger, "sidestep", SIDESTEP_VERSION);
	ledger_append_meta(ledger, "tracing", trace_mode_keys[TRACING_SAMPLE]);
	if (attachment->missing[0])
		ledger_append_meta(ledger, "tracepoints.missing", attachment->missing);
	for (size_t i = 0; i < attachment->process_count; i++) {
		snprintf(key, sizeof(key), i ? "guest.%zu" : "guest", i);
		snprintf(value, sizeof(value), "process %d (%s)", attachment->processes[i].pid,
			 attachment->processes[i].name);
		ledger_append_meta(ledger, key, value);
	}
	snprintf(value, sizeof(value), "%zu", attachment->process_count ? attachment->process_count : 1);
	ledger_append_meta(ledger, "vms", value);
}
