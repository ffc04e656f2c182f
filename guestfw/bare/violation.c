/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses that no table grants, answered as vmm/engine/relay_violation.c does elsewhere: what the view forbids, the
 * register at SS_MMIO_GPA, and where there is nothing. */
#include "bare.h"
#include "code.h"
#include "move.h"
#include "views/effect.h"

#define VECTOR_UD 6
#define VECTOR_PF 14
#define DELIVERY_VALID 0x80000000u
#define RSP 4
#define MMIO_SIZE 8

static void tell_guest(const struct relay_vcpu *vcpu, const struct record_violation *record)
{
	const uint64_t at = bare_page(vcpu, __builtin_offsetof(struct ss_vcpu_page, violation));
	struct ss_violation *told = (void *)(bare_ram(vcpu) + at);

	*told = (struct ss_violation){
		.sequence = ++bare_vcpu_of(vcpu)->violations,
		.view = record->view,
		.access = record->access,
		.flags = record->flags & VIOLATION_GVA_KNOWN,
		.gpa = record->gpa,
		.gva = record->gva,
	};
}

static struct record_violation record_of(const struct relay_vcpu *vcpu, const struct bare_violation *violation,
					 enum violation_answer answer)
{
	const unsigned known = violation->gva_known ? VIOLATION_GVA_KNOWN : 0;

	return (struct record_violation){
		.record = {.type = RECORD_VIOLATION, .size = sizeof(struct record_violation)},
		.operation = bare_operation(vcpu),
		.view = bare_view(vcpu),
		.gpa = violation->gpa,
		.gva = violation->gva_known ? violation->gva : 0,
		.rip = vcpu->rip,
		.access = violation->access,
		.flags = (uint16_t)(known | (violation->walk ? VIOLATION_WALK : 0)),
		.answer = (uint16_t)answer,
	};
}

/* Whether it is the same as the last one that was looked at, to be so no more. */
static int is_repeated(struct bare_vcpu *vcpu, const struct record_violation *violation)
{
	const struct bare_seen seen = {violation->rip, violation->gpa, violation->operation, violation->view,
				       violation->access};
	const int same = vcpu->seen.rip == seen.rip && vcpu->seen.gpa == seen.gpa &&
			 vcpu->seen.operation == seen.operation && vcpu->seen.view == seen.view &&
			 vcpu->seen.access == seen.access;

	vcpu->seen = seen;
	return same;
}

static void log_instruction(const struct relay_vcpu *vcpu, const struct record_violation *violation)
{
	struct record_instruction record = {
		.record = {.type = RECORD_INSTRUCTION, .size = sizeof(record)},
		.operation = violation->operation,
		.view = violation->view,
		.gpa = violation->gpa,
		.rip = violation->rip,
		.access = violation->access,
	};
	struct bare_move move;

	record.count = (uint8_t)bare_fetch(vcpu, vcpu->rip, record.bytes, MOVE_INSN_MAX);
	if (violation->access == VIEW_WRITE && !(violation->flags & VIOLATION_WALK) &&
	    move_decode(record.bytes, record.count, &move) && !move.load) {
		record.value = move_stored(&move, vcpu->regs);
		record.value_size = (uint8_t)move.size;
	}
	if (record.count)
		log_record(vcpu, &record);
}

/* What delivers an event is no instruction, one that may not be fetched is not looked at, and other code than that of
 * 64-bit mode is not decoded here. To look takes as long as the rest of the exit: of many in a row the first is enough. */
static void log_violation(const struct relay_vcpu *vcpu, const struct bare_exit *exit,
			  const struct record_violation *violation)
{
	log_record(vcpu, violation);
	if (exit->is_64 && !(exit->violation.delivery & DELIVERY_VALID) && violation->access != VIEW_EXECUTE &&
	    !is_repeated(bare_vcpu_of(vcpu), violation))
		log_instruction(vcpu, violation);
}

/* What cannot do without the access gets a fault, or ends the run. */
static void answer_forbidden(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const struct bare_violation *violation = &exit->violation;
	const uint64_t vector = fault_during(violation->delivery);
	const int stops = bare.plan->stop_on_violation != 0;
	const struct record_violation record = record_of(vcpu, violation, stops ? VIOLATION_STOPPED : VIOLATION_FAULTED);

	log_violation(vcpu, exit, &record);
	if (stops)
		bare_stop(vcpu, STOP_GUEST, 1, "a view forbids an access; `report --by violation` names it");
	if (vector == NO_VECTOR)
		bare_stop(vcpu, STOP_GUEST, 1,
			  "triple fault: a double fault could not be delivered, for a view forbids it");
	tell_guest(vcpu, &record);
	bare_inject(vcpu, vector,
		    vector == VECTOR_PF ? view_fault_code(violation->access, violation->walk, exit->cpl == 3) : 0);
	vcpu->fault_address = record.gva;
}

/* Whether the access is that of an instruction which can do without it, and which. The relay does not give RSP back. */
static int decode(const struct relay_vcpu *vcpu, const struct bare_exit *exit, struct bare_move *ret_move)
{
	uint8_t code[MOVE_INSN_MAX];

	if (!exit->is_64 || exit->violation.walk || exit->violation.delivery & DELIVERY_VALID ||
	    exit->violation.access == VIEW_EXECUTE)
		return 0;
	return move_decode(code, bare_fetch(vcpu, vcpu->rip, code, sizeof(code)), ret_move) &&
	       !(ret_move->load && ret_move->reg == RSP);
}

/* A load gets the value; a store is somebody else's. */
static void step_over(struct relay_vcpu *vcpu, const struct bare_move *move, uint64_t value)
{
	if (move->load)
		move_load(move, vcpu->regs, value);
	vcpu->length = move->length;
	vcpu->action = RELAY_STEP;
}

/* The register is 8 bytes; behind it there is nothing. */
static void access_device(struct relay_vcpu *vcpu, const struct bare_move *move, uint64_t offset)
{
	const unsigned size = move->size;
	uint64_t *scratch = &bare_guest_of(vcpu)->scratch;

	if (offset + size > MMIO_SIZE) {
		step_over(vcpu, move, UINT64_MAX);
		return;
	}
	if (!move->load)
		for (unsigned i = 0; i < size; i++)
			((uint8_t *)scratch)[offset + i] = (uint8_t)(move_stored(move, vcpu->regs) >> 8 * i);
	step_over(vcpu, move, *scratch >> 8 * offset);
}

/* No policy of an image has a region there. */
static int grants_device(const struct relay_vcpu *vcpu, unsigned access)
{
	const struct bare_view *views = bare_part(bare.plan, bare.plan->views);
	const uint32_t view = bare_view(vcpu);

	return view < bare.plan->view_count && views[view].rights & access;
}

/* There is nothing that could be done without the access. Code at CPL 3 does not end the run. */
static void answer_unknown(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	if (exit->cpl == 3 && !exit->violation.walk && !(exit->violation.delivery & DELIVERY_VALID))
		bare_inject(vcpu, VECTOR_UD, 0);
	else
		bare_stop(vcpu, STOP_GUEST, 1, "an access where there is no memory, by an instruction that is no MOV");
}

void bare_violation_exit(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const struct bare_violation *violation = &exit->violation;
	const int is_device = (violation->gpa ^ SS_MMIO_GPA) < GPA_PAGE_SIZE;
	const int is_governed = violation->gpa < bare.plan->guest_size || is_device;
	const int forbidden = is_governed && !(is_device && grants_device(vcpu, violation->access));
	struct record_violation record;
	struct bare_move move;
	const int known = (!forbidden || bare.plan->report_on_violation) && decode(vcpu, exit, &move);

	if (forbidden && !known) {
		answer_forbidden(vcpu, exit);
	} else if (forbidden) {
		record = record_of(vcpu, violation, VIOLATION_REFUSED);
		log_violation(vcpu, exit, &record);
		step_over(vcpu, &move, UINT64_MAX);
	} else if (!known) {
		answer_unknown(vcpu, exit);
	} else if (is_device) {
		access_device(vcpu, &move, violation->gpa & (GPA_PAGE_SIZE - 1));
	} else {
		step_over(vcpu, &move, UINT64_MAX);
	}
}
