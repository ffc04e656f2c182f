/* SPDX-License-Identifier: GPL-2.0-only */
/* Services by VMFUNC, as vmm/service/vm_function.c performs them elsewhere. */
#include "bare.h"
#include "memory.h"
#include "views/policy.h"
#include "views/service.h"

#define EPERM 1
#define EFAULT 14
#define ENOSYS 38
#define EMSGSIZE 90
enum { RAX, RCX, RDX, RBX };

static int64_t switch_view(struct relay_vcpu *vcpu, uint32_t index)
{
	const struct service_decision decision = service_decide_view(&vcpu->vmfunc, index);

	vcpu->service = service_code(SERVICE_VIEW, decision.verdict);
	if (decision.verdict != SERVICE_SWITCH)
		return decision.error;
	vcpu->view = index + UINT64_C(1);
	return 0;
}

/* Index and arguments from memory, in place of ECX, RDX and RBX. */
static int read_parameters(const struct relay_vcpu *vcpu, unsigned cpl, struct ss_service_args *args)
{
	const struct ss_service_args *given = bare_guest(vcpu, vcpu->regs[RDX], sizeof(*args), VIEW_READ);

	if (cpl != 0)
		return -EPERM;
	if (!given)
		return -EFAULT;
	memcpy(args, given, sizeof(*args));
	return args->size == sizeof(*args) ? 0 : -EMSGSIZE;
}

static int64_t perform(struct relay_vcpu *vcpu, uint32_t number, unsigned cpl)
{
	struct ss_service_args args = {.index = (uint32_t)vcpu->regs[RCX], .arg = {vcpu->regs[RDX], vcpu->regs[RBX]}};
	int rc = args.index == SS_SERVICE_IN_MEMORY ? read_parameters(vcpu, cpl, &args) : 0;

	if (rc != 0) {
		/* No switch of views: as if its index were refused. */
		if (number == SERVICE_VIEW)
			vcpu->service = service_code(SERVICE_VIEW, SERVICE_REFUSED);
		return rc;
	}
	switch (number) {
	case SS_SERVICE_VIEW:
		return switch_view(vcpu, args.index);
	case SS_SERVICE_MAP:
		return bare_set_rights(vcpu, args.arg[0], args.index, args.arg[1]);
	case SS_SERVICE_INTERRUPT:
		return interrupt_set(vcpu, args.index, args.arg[0]);
	default:
		return -ENOSYS;
	}
}

void bare_service(struct relay_vcpu *vcpu, unsigned cpl)
{
	int64_t result;

	switch ((enum service_verdict)(vcpu->service >> 8)) {
	case SERVICE_EXIT_DISABLED:
		result = -ENOSYS;
		break;
	case SERVICE_EXIT_FORBIDDEN:
		result = -EPERM;
		break;
	default:
		result = perform(vcpu, (uint32_t)vcpu->regs[RAX], cpl);
	}
	vcpu->regs[RAX] = (uint64_t)result;
	vcpu->action = RELAY_STEP;
}
