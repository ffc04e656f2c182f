/* SPDX-License-Identifier: GPL-2.0-only */
/* What the relay asks, answered as vmm/engine/relay_exit.c does elsewhere. */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/answer.h"
#include "guestfw/relay/insn.h"
#include "memory.h"
#include "views/effect.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14
#define SERIAL_PORTS 8
#define SERIAL_LSR 5
#define LSR_EMPTY 0x60
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void inject(struct relay_vcpu *vcpu, uint64_t vector, uint64_t error_code)
{
	vcpu->action = RELAY_INJECT;
	vcpu->vector = vector;
	vcpu->error_code = error_code;
}

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
		inject(vcpu, VECTOR_GP, 0);
		return;
	}
	vendor_load_register(vcpu, number, value);
	vcpu->action = RELAY_STEP;
}

static uint64_t read_port(unsigned port)
{
	return port == SS_PORT_SERIAL + SERIAL_LSR ? LSR_EMPTY : UINT64_MAX;
}

static void write_guest_port(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const uint64_t value = vcpu->regs[RAX];

	if (exit->port == SS_PORT_CONTROL && exit->size == 4)
		bare_request(vcpu, exit->cpl, (uint32_t)value);
	else if (exit->port == SS_PORT_EXIT)
		bare_stop(STOP_EXIT, (uint8_t)value, "");
	else if (exit->port == SS_PORT_DEBUG || exit->port == SS_PORT_SERIAL)
		guest_text((char)value);
}

static void answer_port(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const uint64_t mask = exit->size == 4 ? UINT32_MAX : (UINT64_C(1) << 8 * exit->size) - 1;

	vcpu->action = RELAY_STEP;
	if (!exit->in)
		write_guest_port(vcpu, exit);
	else if (exit->size == 4)
		vcpu->regs[RAX] = (uint32_t)read_port(exit->port);
	else
		vcpu->regs[RAX] = (vcpu->regs[RAX] & ~mask) | (read_port(exit->port) & mask);
}

static void tell_guest(const struct relay_vcpu *vcpu, const struct record_violation *record)
{
	const uint64_t at = bare.plan->vcpu_page + __builtin_offsetof(struct ss_vcpu_page, violation);
	struct ss_violation *told = (void *)(bare.base + at);

	(void)vcpu;
	*told = (struct ss_violation){
		.sequence = ++bare.violations,
		.view = record->view,
		.access = record->access,
		.flags = record->flags & VIOLATION_GVA_KNOWN,
		.gpa = record->gpa,
		.gva = record->gva,
	};
}

static void answer_violation(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const uint64_t vector = fault_during(exit->delivery);
	const struct record_violation record = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(record)},
		.operation = bare_operation(vcpu),
		.view = bare_view(vcpu),
		.gpa = vcpu->gpa,
		.gva = exit->gva_known ? exit->gva : 0,
		.rip = vcpu->rip,
		.access = exit->access,
		.flags = (uint16_t)((exit->gva_known ? VIOLATION_GVA_KNOWN : 0) | (exit->walk ? VIOLATION_WALK : 0)),
		.answer = bare.plan->stop_on_violation ? VIOLATION_STOPPED : VIOLATION_FAULTED,
	};

	log_record(&record);
	if (bare.plan->stop_on_violation)
		bare_stop(STOP_GUEST, 1, "a view forbids an access; `report --by violation` names it");
	if (vector == NO_VECTOR)
		bare_stop(STOP_GUEST, 1, "triple fault: a double fault could not be delivered, for a view forbids it");
	tell_guest(vcpu, &record);
	inject(vcpu, vector, vector == VECTOR_PF ? view_fault_code(exit->access, exit->walk, exit->cpl == 3) : 0);
	vcpu->fault_address = record.gva;
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
		answer_violation(vcpu, exit);
		break;
	case EVENT_VMFUNC:
		bare_service(vcpu, exit->cpl);
		break;
	case EVENT_UNDEFINED:
		inject(vcpu, VECTOR_UD, 0);
		break;
	case EVENT_PROTECTED:
		inject(vcpu, VECTOR_GP, 0);
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
		answer_port(vcpu, exit);
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
