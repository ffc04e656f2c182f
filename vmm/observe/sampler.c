/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/sampler.h"

#include "vmm/observe/code_capture.h"
#include "vmm/service/service.h"

static uint32_t saturate(uint64_t ticks)
{
	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static void emit(void *opaque, struct l0_exit *exit)
{
	struct vcpu *vcpu = opaque;
	uint32_t operation = exit->attributed ? exit->operation : vcpu->sampler.interval;
	struct record_l0_exit record = {
		.record = {.type = RECORD_L0_EXIT, .size = sizeof(record), .level = LEVEL_L0},
		.time = trace_tsc(&vcpu->trace, exit->time),
		.rip = exit->rip,
		.info1 = exit->info1,
		.info2 = exit->info2,
		.operation = operation,
		.routine = attribution_operation(vcpu->vm->places, exit->rip),
		.cost = saturate(trace_ticks(&vcpu->trace, exit->cost)),
		.reason = exit->reason,
		.isa = exit->isa,
		.agreement = (uint8_t)attribution_compare(vcpu->vm->places, operation, exit->rip),
		.flags = exit->flags,
	};

	code_capture(vcpu, record.rip);
	vcpu_record(vcpu, &record.record);
}

void sampler_start(struct vcpu *vcpu)
{
	vcpu->sampler.assembler = (struct l0_assembler){
		.start = vcpu->vm->host->backend == HOST_BACKEND_PVM ? TRACE_kvm_emulate_insn
								     : TRACE_kvm_exit,
		.emit = emit,
		.opaque = vcpu,
	};
	/* Of the marker before the first exit: it says nothing. */
	vcpu->sampler.sequence = vcpu->page->marker.sequence;
	vcpu->sampler.marker = vcpu->page->marker.operation;
}

/*
 * While the marker stayed as it was, exits belong to what it says. Where it has changed, a batch says
 * what was going on in between; without one nobody does. The exit that is being handled has come after
 * the change.
 */
void sampler_drain(struct vcpu *vcpu)
{
	struct sampler *sampler = &vcpu->sampler;
	uint32_t sequence = vcpu->page->marker.sequence, marker = vcpu->page->marker.operation;
	uint32_t operation = vcpu_operation(vcpu);
	bool same = sequence == sampler->sequence && marker == sampler->marker;

	sampler->interval = same ? operation : vcpu->batch_operation;
	trace_drain(&vcpu->trace, &sampler->assembler);
	if (sampler->assembler.pending && !sampler->assembler.exit.attributed) {
		sampler->assembler.exit.attributed = true;
		sampler->assembler.exit.operation = operation;
	}
	sampler->sequence = sequence;
	sampler->marker = marker;
}

void sampler_switch(struct vcpu *vcpu, bool on)
{
	if (on == vcpu->trace.on)
		return;
	/* Also before recording begins: it is from here on that the marker is looked at. */
	sampler_drain(vcpu);
	trace_switch(&vcpu->trace, on);
	/* What follows next was not seen to its end. */
	l0_assemble_end(&vcpu->sampler.assembler);
}

/* Hits that were counted but did not come out of the ring were lost, even where the ring does not say
 * so because it was full to the end. */
static uint64_t never_seen(const struct vcpu *vcpu)
{
	uint64_t values[TRACE_COUNT], observed, missing = 0;

	trace_read(&vcpu->trace, values, &observed);
	for (int id = 0; id < TRACE_COUNT; id++)
		if (observed >> id & 1)
			missing += values[id] - vcpu->sampler.assembler.seen[id];
	return missing;
}

void sampler_finish(struct vcpu *vcpu)
{
	uint64_t missing;

	if (!trace_samples(&vcpu->trace))
		return;
	trace_switch(&vcpu->trace, false);
	sampler_drain(vcpu);
	l0_assemble_end(&vcpu->sampler.assembler);
	missing = never_seen(vcpu);
	vcpu->sampler.lost = missing > vcpu->trace.ring.lost ? missing : vcpu->trace.ring.lost;
}
