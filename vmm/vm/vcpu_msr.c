/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/vcpu_msr.h"

#include <sys/ioctl.h>

bool vcpu_msr(const struct vcpu *vcpu, uint32_t index, uint64_t *ret_value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = {{.nmsrs = 1}, {.index = index}};

	if (ioctl(vcpu->fd, KVM_GET_MSRS, &msrs) != 1)
		return false;
	*ret_value = msrs.entry.data;
	return true;
}
