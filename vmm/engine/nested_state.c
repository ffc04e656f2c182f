/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/nested_state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/vm/vm.h"

union nested_state *nested_state(const struct vcpu *vcpu)
{
	return vcpu->engine_data;
}

void *nested_control(const struct vcpu *vcpu)
{
	return nested_state(vcpu)->bytes + sizeof(struct kvm_nested_state);
}

/* A positive result is a failure too: KVM returns an enumerator there. */
int nested_state_set(struct vcpu *vcpu, const struct control_fault *fault, struct error *error)
{
	union nested_state *nested = nested_state(vcpu);
	int result;

	nested->header.size = sizeof(nested->header) + CONTROL_SIZE;
	result = ioctl(vcpu->fd, KVM_SET_NESTED_STATE, nested);
	if (result == 0)
		return 0;
	if (fault)
		return error_set(error, -EINVAL, STATUS_INTERNAL,
				 "KVM refuses the nested state: %s is 0x%" PRIx64 ", but %s", fault->field,
				 fault->value, fault->rule);
	return error_set(error, -EINVAL, STATUS_INTERNAL,
			 "KVM refuses the nested state (%s) though every check that sidestep knows "
			 "holds; the tracepoint kvm:kvm_nested_vmenter_failed names the one",
			 result > 0 ? "VM entry failed" : strerror(errno));
}

int nested_state_get(struct vcpu *vcpu)
{
	union nested_state *nested = nested_state(vcpu);

	nested->header.size = sizeof(*nested);
	if (ioctl(vcpu->fd, KVM_GET_NESTED_STATE, nested) != 0)
		return -errno;
	return nested->header.size < sizeof(nested->header) + CONTROL_SIZE ? -ENODATA : 0;
}

void segment_set_rights(struct kvm_segment *segment, uint64_t rights)
{
	segment->type = rights & 15;
	segment->s = rights >> 4 & 1;
	segment->dpl = rights >> 5 & 3;
	segment->present = rights >> 7 & 1;
	segment->avl = rights >> 12 & 1;
	segment->l = rights >> 13 & 1;
	segment->db = rights >> 14 & 1;
	segment->g = rights >> 15 & 1;
	segment->unusable = rights >> 16 & 1;
}
