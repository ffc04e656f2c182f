/* SPDX-License-Identifier: GPL-2.0-only */
/* What the relay asks, answered as vmm/engine/relay_exit.c does elsewhere. */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/answer.h"
#include "guestfw/relay/insn.h"
#include "memory.h"
#include "processor.h"
#include "slice.h"
#include "views/policy.h"

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

/* What nothing here serves ends the guest. */
static __attribute__((noreturn)) void give_up(struct relay_vcpu *vcpu, const char *text)
{
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
	bare_stop(vcpu, STOP_GUEST, 1, text);
}

/* LMSW or SMSW. Outside 64-bit mode its address is not known. */
static void answer_operand(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const uint64_t seen = flags_read(&vcpu->cr0.words), offset = exit->operand % GPA_PAGE_SIZE;
	const unsigned right = exit->is_store ? VIEW_WRITE : VIEW_READ;
	uint8_t *pages[2];

	if (!exit->is_64)
		give_up(vcpu, "LMSW or SMSW with an operand in memory outside 64-bit mode, which nothing here serves");
	if (!bare_linear_pages(vcpu, exit, exit->operand, 2, right, pages))
		return;
	if (exit->is_store) {
		*bare_byte(pages, offset) = (uint8_t)seen;
		*bare_byte(pages, offset + 1) = (uint8_t)(seen >> 8);
		vcpu->action = RELAY_STEP;
		return;
	}
	vcpu->wanted = flags_lmsw(seen, *bare_byte(pages, offset) | (uint64_t)*bare_byte(pages, offset + 1) << 8);
	answer_write(vcpu, 0);
}

static int is_last(const struct relay_vcpu *vcpu)
{
	for (unsigned i = 0; i < bare.plan->vcpu_count; i++)
		if (i != bare_number(vcpu) && bare.vcpus[i].is_running)
			return 0;
	return 1;
}

/* Another guest has the processor while this one has nothing to do. */
static void answer_halt(struct relay_vcpu *vcpu, struct record_exit *record)
{
	if (interrupt_halted(vcpu)) {
		vcpu->action = RELAY_STEP;
		vcpu->yields = 1;
		return;
	}
	if (bare.plan->guest_count > 1 || is_last(vcpu))
		bare_stop(vcpu, STOP_GUEST, 1, "every vCPU has halted for good and none wrote an exit status");
	log_record(vcpu, record);
	log_drain(vcpu, 0);
	processor_park(vcpu);
}

/* A guest starts without an IDT, so this is what it most often is. */
__attribute__((noreturn)) static void stop_of_triple_fault(struct relay_vcpu *vcpu)
{
	bare_stop(vcpu, STOP_GUEST, 1,
		  vendor_idt_limit(vcpu) ? "triple fault: the guest could not take an exception, though an IDT is loaded"
					 : "triple fault: the guest could not take an exception: no IDT is loaded");
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
	case EVENT_CR0_OPERAND:
		answer_operand(vcpu, exit);
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
		stop_of_triple_fault(vcpu);
	default:
		give_up(vcpu, "an exit that nothing here serves; its reason is in the log, in front of this");
	}
}

static void answer(struct relay_vcpu *vcpu, const struct bare_exit *exit, struct record_exit *record)
{
	if (exit->is_port)
		bare_port(vcpu, exit);
	else if (exit->is_halt)
		answer_halt(vcpu, record);
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

/* What nobody has asked for by an instruction. Returns whether it was that. */
static int answer_other(struct relay_vcpu *vcpu)
{
	switch (vcpu->reason) {
	case RELAY_REASON_RING_FULL:
		log_drain(vcpu, 0);
		return 1;
	case RELAY_REASON_TURN: /* whether it can take an interrupt its own control structure says */
		return 1;
	default:
		return 0;
	}
}

static void answer_exit(struct relay_vcpu *vcpu)
{
	struct bare_exit exit = {.event = EVENT_UNKNOWN};
	struct record_exit record;
	uint64_t cost;

	log_drain(vcpu, 1);
	vendor_describe(vcpu, &exit);
	record = begin_record(vcpu, &exit);
	answer(vcpu, &exit, &record);
	cost = read_tsc() - record.time;
	record.cost = cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
	record.service = exit.event == EVENT_VMFUNC ? (uint16_t)vcpu->service : 0;
	record.view = (uint16_t)vcpu->view;
	log_record(vcpu, &record);
}

/* The processor has not entered the guest. */
static void answer_refusal(struct relay_vcpu *vcpu)
{
	vendor_resume_failed(vcpu);
	processor_lock(vcpu);
	guest_text_end();
	console_text("sidestep: VM entry failed, VM-instruction error ");
	console_hex(vcpu->error);
	console_put('\n');
	bare_stop(vcpu, STOP_HOST, 99, "the processor refused to enter the guest");
}

void bare_answer(struct relay_vcpu *vcpu)
{
	vcpu->action = RELAY_RESUME;
	if (vendor_takes_nmi(vcpu)) {
		processor_hear(vcpu);
		return;
	}
	if (vendor_is_interrupt(vcpu)) {
		slice_end(vcpu);
		return;
	}
	if (vcpu->reason == RELAY_REASON_RESUME_FAILED)
		answer_refusal(vcpu);
	processor_lock(vcpu);
	if (!answer_other(vcpu))
		answer_exit(vcpu);
	processor_unlock();
}
