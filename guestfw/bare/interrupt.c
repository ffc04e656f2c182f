/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual interrupts, as vmm/service/interrupt.c has them elsewhere. */
#include "bare.h"
#include "guestfw/relay/insn.h"

#define EINVAL 22
#define RFLAGS_TF 0x100u
#define RFLAGS_IF 0x200u

static void record_event(const struct relay_vcpu *vcpu, uint64_t vector, enum interrupt_event event)
{
	const struct record_interrupt record = {
		.record = {.type = RECORD_INTERRUPT, .size = sizeof(record)},
		.time = read_tsc(),
		.operation = bare_operation(vcpu),
		.vector = (uint16_t)vector,
		.event = (uint16_t)event,
	};

	if (event != INTERRUPT_EVENT_NONE)
		log_record(vcpu, &record);
}

int interrupt_raise(struct relay_vcpu *vcpu, uint64_t vector)
{
	enum interrupt_event event;
	int rc = interrupts_raise(&vcpu->interrupts, vector, &event);

	if (rc == 0)
		record_event(vcpu, vector, event);
	return rc;
}

int interrupt_set(struct relay_vcpu *vcpu, uint64_t vector, uint64_t disposition)
{
	enum interrupt_event event;
	int rc = interrupts_set(&vcpu->interrupts, vector, disposition, &event);

	if (rc == 0)
		record_event(vcpu, vector, event);
	return rc;
}

int interrupt_at_halts(struct relay_vcpu *vcpu, uint64_t vector, uint64_t count)
{
	if (vector < INTERRUPT_VECTOR_MIN || vector >= INTERRUPT_VECTORS)
		return -EINVAL;
	bare_vcpu_of(vcpu)->halt_vector = vector;
	bare_vcpu_of(vcpu)->halts = count;
	return 0;
}

int interrupt_halted(struct relay_vcpu *vcpu)
{
	struct bare_vcpu *state = bare_vcpu_of(vcpu);

	if (!(vendor_rflags(vcpu) & RFLAGS_IF))
		return 0;
	if (state->halts > 0) {
		state->halts--;
		interrupt_raise(vcpu, state->halt_vector);
	}
	return interrupts_next(&vcpu->interrupts) != 0;
}

/* The relay's answer comes before the interrupt: it steps over the instruction, which ends the shadow of STI and MOV SS,
 * or raises an exception, beside which there is room for nothing. */
static int can_take(const struct relay_vcpu *vcpu)
{
	const uint64_t rflags = vendor_rflags(vcpu);

	if (!(rflags & RFLAGS_IF) || rflags & RFLAGS_TF || vcpu->action == RELAY_INJECT)
		return 0;
	return vcpu->action != RELAY_RESUME || !vendor_blocks(vcpu);
}

void interrupt_deliver(struct relay_vcpu *vcpu)
{
	const unsigned vector = interrupts_next(&vcpu->interrupts);

	if (vector && can_take(vcpu)) {
		vendor_interrupt(vcpu, vector);
		interrupts_take(&vcpu->interrupts, vector);
		record_event(vcpu, vector, INTERRUPT_DELIVERED);
	}
	vendor_watch_window(vcpu, interrupts_next(&vcpu->interrupts) != 0);
}
