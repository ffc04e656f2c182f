/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/sampler.h"

void sampler_start(struct sampler *sampler, enum trace_id start, const volatile struct ss_vcpu_page *page,
		   l0_exit_fn *emit, void *opaque)
{
	sampler->assembler = (struct l0_assembler){.start = start, .emit = emit, .opaque = opaque};
	/* Of the marker before the first exit: it says nothing. */
	sampler->sequence = page->marker.sequence;
	sampler->marker = page->marker.operation;
}

/*
 * While the marker stayed as it was, exits belong to what it says. Where it has changed, or says nothing, a batch
 * says what was going on in between; without one nobody does. The exit that is being handled has come after the
 * change.
 */
void sampler_drain(struct sampler *sampler, const volatile struct ss_vcpu_page *page, uint32_t operation,
		   uint32_t batch)
{
	uint32_t sequence = page->marker.sequence, marker = page->marker.operation;
	bool same = sequence == sampler->sequence && marker == sampler->marker;

	sampler->interval = same && operation ? operation : batch;
	trace_drain(&sampler->trace, &sampler->assembler);
	if (sampler->assembler.pending && !sampler->assembler.exit.attributed) {
		sampler->assembler.exit.attributed = true;
		sampler->assembler.exit.operation = operation;
	}
	sampler->sequence = sequence;
	sampler->marker = marker;
}

void sampler_switch(struct sampler *sampler, bool on)
{
	trace_switch(&sampler->trace, on);
	/* What follows next was not seen to its end. */
	l0_assemble_end(&sampler->assembler);
}

void sampler_finish(struct sampler *sampler)
{
	l0_assemble_end(&sampler->assembler);
	sampler->lost = trace_lost(&sampler->trace, sampler->assembler.seen);
}
