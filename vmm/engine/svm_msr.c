/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/svm_msr.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/engine/monitor_msr.h"

int svm_msr_protect(struct vm *vm, struct error *error)
{
	static const struct monitor_msrs own[MONITOR_MSRS_MORE] = {
		{MSR_EFER, 1},
		{MSR_VM_CR, MSR_VM_HSAVE_PA - MSR_VM_CR + 1},
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = {KVM_MSR_EXIT_REASON_FILTER},
	};

	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) == 0)
		return monitor_msr_protect(vm, own, MONITOR_MSRS_MORE, error);
	return error_set(error, -errno, STATUS_INTERNAL, "KVM_CAP_X86_USER_SPACE_MSR: %s",
			 strerror(errno));
}

void svm_msr_answer(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_sregs sregs;
	uint64_t efer;

	run->msr.error = 1;
	if (run->msr.index != MSR_EFER || ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return;
	if (run->exit_reason == KVM_EXIT_X86_RDMSR) {
		run->msr.data = sregs.efer & ~(uint64_t)EFER_SVME;
		run->msr.error = 0;
	} else if (svm_msr_efer(sregs.efer, run->msr.data, &efer) &&
		   monitor_msr_load(vcpu, MSR_EFER, efer) == 0) {
		run->msr.error = 0;
	}
}
