/* SPDX-License-Identifier: GPL-2.0-only */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/world.h"
#include "memory.h"
#include "processor.h"

/* Another guest that has the processor from now on; NULL: there is none. Where the monitor has failed one it has failed
 * all. */
static struct relay_vcpu *successor(struct relay_vcpu *vcpu, enum stop_cause cause)
{
	struct relay_vcpu *next;

	if (!vcpu->group || cause == STOP_HOST)
		return NULL;
	vcpu->gone = 1;
	next = world_next(vcpu);
	return next == vcpu ? NULL : next;
}

void bare_stop(struct relay_vcpu *vcpu, enum stop_cause cause, int status, const char *text)
{
	struct relay_vcpu *next = successor(vcpu, cause);
	struct record_end record = {
		.record = {.type = RECORD_END, .size = sizeof(record)},
		.cause = cause,
		.status = status,
	};

	for (unsigned i = 0; text[i] && i + 1 < sizeof(record.text); i++)
		record.text[i] = text[i];
	guest_text_end();
	bare_vcpu_of(vcpu)->is_running = 0;
	processors_stop(vcpu);
	for (unsigned i = 0; i < bare_vcpu_count(); i++)
		log_drain(bare_relay_vcpu(i), 0);
	log_record(vcpu, &record);
	log_flush();
	if (!next)
		summary_tell();
	if (text[0])
		console_say(text, (const char *)0);
	if (!next)
		console_end();
	vendor_swap(vcpu, next);
	world_switch(vcpu, next);
	bare_enter(next);
}
