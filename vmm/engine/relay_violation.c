/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/relay_violation.h"

#include "guestfw/relay/events.h"
#include "guestfw/relay/relay.h"
#include "vmm/emulate/access_emulation.h"
#include "vmm/emulate/violation_look.h"
#include "vmm/plan/engine_target.h"
#include "vmm/vm/vcpu.h"

#define RSP 4
#define VECTOR_UD 6
#define VECTOR_PF 14

#define DELIVERY_VALID 0x80000000u

static void raise_fault(struct vcpu *vcpu, struct relay_vcpu *relay,
			const struct violation *violation, uint32_t delivery)
{
	char where[200];
	uint64_t vector = fault_during(delivery);

	if (vector == NO_VECTOR) {
		vcpu_describe_at(vcpu, violation->rip, where, sizeof(where));
		vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
			"triple fault: a double fault could not be delivered, for view %u forbids a "
			"%s at 0x%llx; %s",
			violation->view, violation->access == VIEW_WRITE ? "write" : "read",
			(unsigned long long)violation->gpa, where);
		return;
	}
	monitor_inject(relay, vector, vector == VECTOR_PF ? violation_error_code(violation) : 0);
	relay->fault_address = violation->gva;
}

/* SVM does not say for which linear address it was: what the instruction accesses is looked through. */
static int decode_address(const struct relay_vcpu *relay,
			  const struct monitor_exit *exit, const struct page_walk_space *space,
			  struct violation *violation)
{
	const struct insn_state state = {.rip = relay->rip, .regs = relay->regs};

	if (exit->delivery & DELIVERY_VALID)
		return access_find_frame(space, relay->regs[RSP], violation->gpa, &violation->gva);
	if (exit->walk)
		return access_find_walk(space, &state, violation->gpa, &violation->gva);
	if (violation->access == VIEW_EXECUTE)
		return access_find_fetch(space, relay->rip, violation->gpa, &violation->gva);
	return access_find(space, &state, violation->gpa, &violation->gva);
}

/* For which address it was, and by which instruction. */
static void find_access(struct vcpu *vcpu, const struct relay_vcpu *relay, const struct monitor_exit *exit,
			const struct page_walk_space *space, struct violation *violation)
{
	if (exit->walk)
		violation->flags |= VIOLATION_WALK;
	if (exit->gva_known)
		violation->gva = exit->gva;
	if (exit->gva_known || decode_address(relay, exit, space, violation) == 0)
		violation->flags |= VIOLATION_GVA_KNOWN;
	/* What delivers an event is no instruction. */
	if (!(exit->delivery & DELIVERY_VALID))
		violation_look(vcpu, violation, space, relay->regs);
}

/* Steps over the instruction if it can do without the access: a load gets all ones, a store is dropped. */
static bool refuse(struct relay_vcpu *relay, const struct monitor_exit *exit,
		   const struct page_walk_space *space)
{
	unsigned length;

	if (exit->walk || exit->delivery & DELIVERY_VALID || exit->access == VIEW_EXECUTE ||
	    access_refuse(space, relay->rip, relay->regs, &length) != 0)
		return false;
	relay->length = length;
	relay->action = RELAY_STEP;
	return true;
}

/* Neither memory nor a device: as with an address that nobody claims, as far as that goes. */
static void answer_nowhere(struct vcpu *vcpu, struct relay_vcpu *relay,
			   const struct monitor_exit *exit, const struct page_walk_space *space)
{
	char where[200];

	if (refuse(relay, exit, space))
		return;
	/* Code at CPL 3 does not end the VM, as by what KVM cannot interpret. */
	if (space->user && !exit->walk && !(exit->delivery & DELIVERY_VALID)) {
		monitor_inject(relay, VECTOR_UD, 0);
		return;
	}
	vcpu_describe_at(vcpu, relay->rip, where, sizeof(where));
	vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
		"an access to 0x%llx, where there is neither memory nor a device; %s",
		(unsigned long long)relay->gpa, where);
}

static bool is_governed(const struct vm *vm, uint64_t gpa)
{
	struct gpa_range ranges[ENGINE_RANGES_MAX];
	const size_t count = engine_ranges(vm->plan->platform, vm->ram.size, ranges);

	for (size_t i = 0; i < count; i++)
		if (gpa - ranges[i].start.v < ranges[i].size)
			return true;
	return false;
}

void relay_violation(struct vcpu *vcpu, struct relay_vcpu *relay, const struct monitor_exit *exit)
{
	struct page_walk_space space = monitor_space(vcpu, exit);
	struct violation violation = {
		.view = space.view,
		.gpa = relay->gpa,
		.rip = relay->rip,
		.access = exit->access,
		.user = space.user,
	};
	enum violation_answer answer;
	bool refused;

	if (!is_governed(vcpu->vm, relay->gpa)) {
		answer_nowhere(vcpu, relay, exit, &space);
		return;
	}
	/* Before the instruction is stepped over: a load changes registers that its address is from. */
	find_access(vcpu, relay, exit, &space, &violation);
	refused = vcpu->vm->plan->on_violation == ON_VIOLATION_REPORT && refuse(relay, exit, &space);
	answer = violation_answer(vcpu, &violation, refused);
	violation_record(vcpu, &violation, answer);
	if (answer == VIOLATION_FAULTED)
		raise_fault(vcpu, relay, &violation, exit->delivery);
}

bool relay_violation_of_operand(struct vcpu *vcpu, struct relay_vcpu *relay,
				const struct page_walk_space *space, const struct page_walk_fault *fault,
				unsigned access)
{
	struct violation violation = {
		.view = space->view,
		.gpa = fault->gpa,
		.gva = fault->address,
		.rip = relay->rip,
		.access = access,
		.flags = VIOLATION_GVA_KNOWN | (fault->walk ? VIOLATION_WALK : 0),
		.user = space->user,
	};
	enum violation_answer answer = violation_answer(vcpu, &violation, !fault->walk);

	violation_look(vcpu, &violation, space, relay->regs);
	violation_record(vcpu, &violation, answer);
	if (answer == VIOLATION_FAULTED)
		raise_fault(vcpu, relay, &violation, 0);
	return answer != VIOLATION_FAULTED;
}
