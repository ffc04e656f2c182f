/* SPDX-License-Identifier: GPL-2.0-only */
/* What the relay asks, answered as vmm/engine/relay_exit.c does elsewhere. */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/answer.h"
#include "guestfw/relay/insn.h"
#include "memory.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void answer_hypercall(struct relay_vcpu *vcpu, unsigned cpl)
{
	int rc = 0;

	if (vcpu->regs[RAX] == SS_HYPERCALL_REQUEST)
		rc = bare_request(vcpu, cpl, (uint32_t)vcpu->regs[RDI]);
	vcpu->regs[RAX] = (uint64_t)(int64_t)rc;
	vcpu->action = RELAY_STEP;
}

static void answer_write(struct relay_vcpu *vcpu, unsigned number)
{
	uint64_t value;

	if (!relay_answer_write(vcpu, number, bare.plan->refuse != 0, &value)) {
		bare_inject(vcpu, VECTOR_GP, 0);
		return;
	}
	vendor_load_register(vcpu, number, value);
	vcpu->action = RELAY_STEP;
}

static void answer_halt(struct relay_vcpu *vcpu)
{
	if (!interrupt_halted(vcpu))
		bare_stop(STOP_GUEST, 1, "every vCPU has halted for good and none wrote an exit status");
	vcpu->action = RELAY_STEP;
}

static void answer_event(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	switch (exit->event) {
	case EVENT_HYPERCALL:
		answer_hypercall(vcpu, exit->cpl);
		break;
	case EVENT_CR0_WRITE:
		answer_write(vcpu, 0);
		break;
	case EVENT_CR4_WRITE:
		answer_write(vcpu, 4);
		break;
	case EVENT_VIOLATION:
		bare_violation_exit(vcpu, exit);
		break;
	case EVENT_VMFUNC:
		bare_service(vcpu, exit->cpl);
		break;
	case EVENT_UNDEFINED:
		bare_inject(vcpu, VECTOR_UD, 0);
		break;
	case EVENT_PROTECTED:
		bare_inject(vcpu, VECTOR_GP, 0);
		break;
	case EVENT_IGNORED:
		vcpu->action = RELAY_STEP;
		break;
	case EVENT_TRIPLE_FAULT:
		bare_stop(STOP_GUEST, 1, "triple fault: the guest could not take an exception");
	default:
		guest_text_end();
		console_text("sidestep: exit for reason ");
		console_hex(vcpu->reason);
		console_text(", error ");
		console_hex(vcpu->error);
		console_text(", qualification ");
		console_hex(vcpu->qualification);
		console_text(" at rip ");
		console_hex(vcpu->rip);
		console_put('\n');
		bare_stop(STOP_GUEST, 1, "an exit that nothing here serves; its reason is in the log, in front of this");
	}
}

static void answer(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	vcpu->action = RELAY_RESUME;
	if (exit->is_port)
		bare_port(vcpu, exit);
	else if (exit->is_halt)
		answer_halt(vcpu);
	else if (!exit->is_window)
		answer_event(vcpu, exit);
	interrupt_deliver(vcpu);
}

/* The exit as one of the VMM, which this is here. */
static struct record_exit begin_record(const struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	return (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(struct record_exit), .level = LEVEL_VMM},
		.time = read_tsc(),
		.rip = vcpu->rip,
		.operation = bare_operation(vcpu),
		.reason = exit->is_halt	    ? EXIT_REASON_HLT
			  : exit->is_window ? EXIT_REASON_IRQ_WINDOW_OPEN
					    : EXIT_REASON_IO,
		.qualification = exit->is_port ? exit->port : RELAY_PORT,
		.detail = (uint16_t)(exit->is_port ? exit->size | !exit->in << 8 : 1 | 1 << 8),
	};
}

void bare_answer(struct relay_vcpu *vcpu)
{
	struct bare_exit exit = {.event = EVENT_UNKNOWN};
	struct record_exit record;
	uint64_t cost;

	if (vcpu->reason == RELAY_REASON_RING_FULL) {
		log_drain(vcpu, 0);
		return;
	}
	log_drain(vcpu, 1);
	vendor_describe(vcpu, &exit);
	record = begin_record(vcpu, &exit);
	answer(vcpu, &exit);
	cost = read_tsc() - record.time;
	record.cost = cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
	record.service = exit.event == EVENT_VMFUNC ? (uint16_t)vcpu->service : 0;
	record.view = (uint16_t)vcpu->view;
	log_record(&record);
}
