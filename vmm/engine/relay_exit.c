/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/relay_exit.h"

#include <errno.h>

#include "guestfw/relay/answer.h"
#include "views/flags.h"
#include "vmm/emulate/msw_operand.h"
#include "vmm/emulate/triple_fault.h"
#include "vmm/engine/monitor.h"
#include "vmm/engine/relay_violation.h"
#include "vmm/observe/probe.h"
#include "vmm/service/service.h"
#include "vmm/service/vm_function.h"
#include "vmm/vm/vcpu.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void answer_hypercall(struct vcpu *vcpu, struct relay_vcpu *relay, unsigned cpl)
{
	int rc = 0;

	relay->action = RELAY_STEP;
	if (relay->regs[RAX] == SS_HYPERCALL_REQUEST)
		rc = service_perform(vcpu, cpl, (uint32_t)relay->regs[RDI]);
	else if (vcpu->vm->on_null_hypercall)
		vcpu->vm->on_null_hypercall(vcpu);
	relay->regs[RAX] = (uint64_t)(int64_t)rc;
}

/* The whole method carried out by the VMM. */
static void answer_write(struct vcpu *vcpu, struct relay_vcpu *relay, unsigned number)
{
	uint64_t value;

	if (!relay_answer_write(relay, number, vcpu->vm->plan->on_ask == FLAGS_ON_ASK_REFUSE, &value)) {
		monitor_inject(relay, VECTOR_GP, 0);
		return;
	}
	relay->action = RELAY_STEP;
	vcpu->vm->ops->load_register(vcpu, number, value);
	if (number == 0)
		probe_control_flag_write(vcpu->index, LEVEL_VMM, relay->wanted,
					 ~flags_masked(&relay->cr0.words), vcpu->vm->index);
}

/* Sets rights, and has the relay know how. */
static int64_t change_rights(struct vcpu *vcpu, const struct invocation *invocation)
{
	struct relay_change change;
	int64_t result;

	monitor_change_begin(vcpu, invocation->arg[0], invocation->index, invocation->arg[1], &change);
	result = vm_function_finish(vcpu, invocation, SERVICE_PERFORM);
	if (result == 0)
		monitor_change_end(vcpu, &change);
	return result;
}

/* The relay has decided about the caller. */
static void answer_vmfunc(struct vcpu *vcpu, struct relay_vcpu *relay, unsigned cpl)
{
	const struct invocation invocation = {
		.number = (uint32_t)relay->regs[RAX],
		.index = (uint32_t)relay->regs[RCX],
		.arg = {relay->regs[RDX], relay->regs[RBX]},
		.cpl = cpl,
	};

	const enum service_verdict verdict = (enum service_verdict)(relay->service >> 8);
	const bool maps = verdict == SERVICE_PERFORM && invocation.number == SS_SERVICE_MAP &&
			  invocation.index != SERVICE_IN_MEMORY;

	relay->regs[RAX] = (uint64_t)(maps ? change_rights(vcpu, &invocation)
					   : vm_function_finish(vcpu, &invocation, verdict));
	relay->view = vcpu->exit.view;
	relay->action = RELAY_STEP;
}

/* The operand, with what the view makes of it: a read that it forbids gives all ones, a write is
 * dropped. Returns false if the guest has to see a page fault. */
static bool move_operand(struct vcpu *vcpu, struct relay_vcpu *relay,
			 const struct page_walk_space *space, const struct msw_operand *operand,
			 uint16_t *word)
{
	struct page_walk_fault fault;
	int rc = operand->store
			 ? page_walk_write(space, operand->address, word, sizeof(*word), &fault)
			 : page_walk_read(space, operand->address, word, sizeof(*word), &fault);

	if (rc == -EFAULT) {
		monitor_inject(relay, VECTOR_PF, fault.error_code);
		relay->fault_address = fault.address;
		return false;
	}
	if (rc == 0)
		return true;
	*word = UINT16_MAX;
	return relay_violation_of_operand(vcpu, relay, space, &fault,
					  operand->store ? VIEW_WRITE : VIEW_READ);
}

static void answer_cr0_operand(struct vcpu *vcpu, struct relay_vcpu *relay,
			       const struct monitor_exit *exit)
{
	struct page_walk_space space = monitor_space(vcpu, exit);
	uint64_t seen = flags_read(&relay->cr0.words);
	uint16_t word = (uint16_t)seen;
	struct msw_operand operand;

	if (msw_operand_decode(&space, relay->rip, relay->regs, &operand) != 0) {
		monitor_inject(relay, VECTOR_UD, 0);
		return;
	}
	if (operand.vector) {
		monitor_inject(relay, operand.vector, 0);
		return;
	}
	if (!move_operand(vcpu, relay, &space, &operand, &word))
		return;
	relay->length = operand.length;
	relay->action = RELAY_STEP;
	if (operand.store)
		return;
	relay->wanted = flags_lmsw(seen, word);
	answer_write(vcpu, relay, 0);
}

/* Nothing can be done about it. */
static void give_up(struct vcpu *vcpu, const struct relay_vcpu *relay, const struct monitor_exit *exit)
{
	char where[200];

	vcpu_describe_at(vcpu, relay->rip, where, sizeof(where));
	vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED, "%s (reason %llu, error %llu); %s", exit->name,
		(unsigned long long)relay->reason, (unsigned long long)relay->error, where);
}

static void stop_of_triple_fault(struct vcpu *vcpu, const struct relay_vcpu *relay)
{
	char what[TRIPLE_FAULT_TEXT], where[200];
	struct kvm_sregs sregs;
	const bool known = vcpu->vm->ops->guest_sregs(vcpu, &sregs) == 0;

	triple_fault_describe(vcpu, known ? &sregs : NULL, relay->rip, relay->regs, what);
	vcpu_describe_at(vcpu, relay->rip, where, sizeof(where));
	vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED, "%s; %s", what, where);
}

static void answer(struct vcpu *vcpu, const struct monitor_exit *exit)
{
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->action = RELAY_RESUME;
	switch (exit->event) {
	case EVENT_HYPERCALL:
		answer_hypercall(vcpu, relay, exit->cpl);
		break;
	case EVENT_CR0_WRITE:
		answer_write(vcpu, relay, 0);
		break;
	case EVENT_CR4_WRITE:
		answer_write(vcpu, relay, 4);
		break;
	case EVENT_CR0_OPERAND:
		answer_cr0_operand(vcpu, relay, exit);
		break;
	case EVENT_VIOLATION:
		relay_violation(vcpu, relay, exit);
		break;
	case EVENT_VMFUNC:
		answer_vmfunc(vcpu, relay, exit->cpl);
		break;
	case EVENT_UNDEFINED:
		monitor_inject(relay, VECTOR_UD, 0);
		break;
	case EVENT_PROTECTED:
		monitor_inject(relay, VECTOR_GP, 0);
		break;
	case EVENT_IGNORED:
		relay->action = RELAY_STEP;
		break;
	case EVENT_TRIPLE_FAULT:
		stop_of_triple_fault(vcpu, relay);
		break;
	default:
		give_up(vcpu, relay, exit);
	}
}

/* Puts an exit that the relay passes on into words, and answers it. */
static void relay_port_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct vm *vm = device;
	struct vcpu *vcpu = vm->active;
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	struct monitor_exit exit = {.event = EVENT_UNKNOWN};

	(void)offset;
	(void)size;
	(void)value;
	/* The guest may write this port too, but cannot reach the relay's memory. */
	if (!relay->pending)
		return;
	relay->pending = 0;
	vcpu->answered = true;
	/* Of no operation. */
	if (relay->reason == RELAY_REASON_RING_FULL || relay->reason == RELAY_REASON_TURN) {
		monitor_drain(vcpu);
		vcpu->exit.operation = 0;
		return;
	}
	monitor_drain_finished(vcpu);
	vcpu->exit.rip = relay->rip;
	vcpu->relay_waits = true;
	vm->ops->describe(vcpu, &exit);
	answer(vcpu, &exit);
	vcpu->relay_waits = false;
}

int relay_exit_attach(struct vm *vm, struct error *error)
{
	static const struct bus_ops ops = {NULL, relay_port_write};

	if (bus_claim(&vm->ports, RELAY_PORT, 1, &ops, vm) == 0)
		return 0;
	return error_set(error, -EEXIST, STATUS_INTERNAL, "device ranges overlap");
}
