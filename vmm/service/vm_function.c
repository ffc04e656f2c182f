/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/vm_function.h"

#include <errno.h>

#include "views/service.h"
#include "vmm/emulate/guest_access.h"
#include "vmm/observe/probe.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/pin.h"

static int64_t invoke_view(struct vcpu *vcpu, const struct invocation *invocation)
{
	const struct engine_ops *ops = vcpu->vm->ops;

	/* A valid entry of the list is a view, so the index is below their number. */
	return ops->view_switch ? ops->view_switch(vcpu->vm, invocation->index) : -EOPNOTSUPP;
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

int64_t vm_function_perform(struct vcpu *vcpu, const struct invocation *given)
{
	struct invocation invocation = *given;
	int rc = 0;

	vcpu->exit.service = service_code(given->number, SERVICE_PERFORM);
	if (invocation.number == SS_SERVICE_VIEW ||
	    invocation.number >= sizeof(handlers) / sizeof(handlers[0]) ||
	    !handlers[invocation.number])
		return -ENOSYS;
	if (invocation.index == SS_SERVICE_IN_MEMORY)
		rc = read_parameters(vcpu, &invocation);
	return rc == 0 ? handlers[invocation.number](vcpu, &invocation) : rc;
}

static int switch_view(struct vcpu *vcpu, const struct invocation *invocation, bool active)
{
	int32_t from = (int32_t)vcpu->vm->view;
	int rc = active ? 0 : (int)invoke_view(vcpu, invocation);

	vcpu->exit.view = (uint16_t)(invocation->index + 1);
	if (rc == 0)
		probe_view_switch(vcpu->index, LEVEL_VMM, from, (int32_t)invocation->index,
				  vcpu->vm->index);
	return rc;
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
	};
	const struct service_decision decision = service_decide(&vm->vmfunc, &call);

	vcpu->exit.service = service_code(call.number, decision.verdict);
	*ret_vector = service_vector(decision.verdict);
	*ret_rax = 0;
	if (decision.verdict == SERVICE_REFUSED)
		*ret_rax = (uint64_t)(int64_t)decision.error;
	if (decision.verdict == SERVICE_SWITCH)
		return switch_view(vcpu, invocation, decision.eptp == vm->vmfunc.eptp);
	if (decision.verdict != SERVICE_PERFORM)
		return 0;
	/* With a relay the instruction works, and the relay knows who calls. */
	if (engine_has_monitor(vm->plan->engine))
		return -EOPNOTSUPP;
	*ret_rax = (uint64_t)vm_function_perform(vcpu, invocation);
	return 0;
}
