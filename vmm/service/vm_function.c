/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/vm_function.h"

#include <errno.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/observe/probe.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/pin.h"

/* Where a relay waits for an answer, the switch is part of it: whoever answers finds the view in the exit. */
static int64_t invoke_view(struct vcpu *vcpu, const struct invocation *invocation)
{
	struct vm *vm = vcpu->vm;
	const struct service_decision decision = service_decide_view(&vm->vmfunc, invocation->index);
	const int32_t from = vm->ops->view_switch ? (int32_t)vm->view : -1;
	int rc = 0;

	vcpu->exit.service = service_code(SERVICE_VIEW, decision.verdict);
	if (decision.verdict != SERVICE_SWITCH)
		return decision.error;
	if (vm->ops->view_switch && decision.eptp != vm->vmfunc.eptp)
		rc = vm->ops->view_switch(vm, invocation->index);
	vcpu->exit.view = (uint16_t)(invocation->index + 1);
	if (rc == 0)
		probe_view_switch(vcpu->index, LEVEL_VMM, from, (int32_t)invocation->index, vm->index);
	return rc;
}

static int64_t invoke_map(struct vcpu *vcpu, const struct invocation *invocation)
{
	struct vm *vm = vcpu->vm;

	if (invocation->arg[0] > UINT32_MAX || invocation->arg[1] > UINT32_MAX)
		return -EINVAL;
	return vm_set_rights(vm, (uint32_t)invocation->arg[0], invocation->index,
			     (unsigned)invocation->arg[1]);
}

static int64_t invoke_interrupt(struct vcpu *vcpu, const struct invocation *invocation)
{
	return interrupt_set(vcpu, invocation->index, invocation->arg[0]);
}

static int64_t invoke_pin(struct vcpu *vcpu, const struct invocation *invocation)
{
	const struct pin_request request = {
		.gpa = invocation->arg[0],
		.size = invocation->arg[1],
		.access = invocation->index,
	};
	uint32_t handle;
	int rc = pin_buffer(vcpu, &request, &handle);

	return rc == 0 ? (int64_t)handle : rc;
}

static int64_t invoke_unpin(struct vcpu *vcpu, const struct invocation *invocation)
{
	return pin_release(vcpu, invocation->index);
}

static int64_t (*const handlers[])(struct vcpu *vcpu, const struct invocation *invocation) = {
#define X(name, number, key, privilege, text) [number] = invoke_##key,
	SS_SERVICES(X)
#undef X
};

/* Index and arguments from memory, in place of ECX, RDX and RBX. */
static int read_parameters(struct vcpu *vcpu, struct invocation *invocation)
{
	const struct guest_access access = {vcpu, invocation->cpl, VIEW_READ};
	struct ss_service_args args;
	int rc = guest_access_read(&access, invocation->arg[0], &args, sizeof(args));

	if (rc != 0)
		return rc;
	if (args.size != sizeof(args))
		return -EMSGSIZE;
	invocation->index = args.index;
	invocation->arg[0] = args.arg[0];
	invocation->arg[1] = args.arg[1];
	return 0;
}

static int64_t perform(struct vcpu *vcpu, const struct invocation *given)
{
	struct invocation invocation = *given;
	int rc = 0;

	if (invocation.number >= sizeof(handlers) / sizeof(handlers[0]) ||
	    !handlers[invocation.number])
		return -ENOSYS;
	if (invocation.index == SS_SERVICE_IN_MEMORY)
		rc = read_parameters(vcpu, &invocation);
	if (rc == 0)
		return handlers[invocation.number](vcpu, &invocation);
	/* No switch of views: as if its index were refused. */
	if (invocation.number == SERVICE_VIEW)
		vcpu->exit.service = service_code(SERVICE_VIEW, SERVICE_REFUSED);
	return rc;
}

int64_t vm_function_finish(struct vcpu *vcpu, const struct invocation *invocation,
			   enum service_verdict verdict)
{
	vcpu->exit.service = service_code(invocation->number, verdict);
	switch (verdict) {
	case SERVICE_EXIT_DISABLED:
		return -ENOSYS;
	case SERVICE_EXIT_FORBIDDEN:
		return -EPERM;
	default:
		return perform(vcpu, invocation);
	}
}

int vm_function_execute(struct vcpu *vcpu, const struct invocation *invocation, unsigned *ret_vector,
			uint64_t *ret_rax)
{
	const struct vm *vm = vcpu->vm;
	const struct service_call call = {
		.number = invocation->number,
		.index = invocation->index,
		.cpl = invocation->cpl,
		.home = vm->view == 0,
		.mode = invocation->mode,
	};
	const struct service_decision decision = service_decide(&vm->vmfunc, &call);

	vcpu->exit.service = service_code(call.number, decision.verdict);
	*ret_vector = service_vector(decision.verdict);
	*ret_rax = (uint64_t)(int64_t)decision.error;
	if (decision.verdict == SERVICE_SWITCH) {
		if (!vm->ops->view_switch && decision.eptp != vm->vmfunc.eptp)
			return -EOPNOTSUPP;
		return (int)invoke_view(vcpu, invocation);
	}
	if (decision.verdict != SERVICE_PERFORM)
		return 0;
	/* With a relay the instruction works, and the relay knows who calls. */
	if (engine_has_monitor(vm->plan->engine))
		return -EOPNOTSUPP;
	*ret_rax = (uint64_t)perform(vcpu, invocation);
	return 0;
}
