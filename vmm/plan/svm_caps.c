/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/svm_caps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define MSRS_MAX 4096 /* several times as many as any KVM lists */
#define CPUID_EXTENDED 0x80000001
#define CPUID_PAGE1GB_EDX 26
#define CPUID_WIDTHS 0x80000008
#define CPUID_SVM 0x8000000a
#define CPUID_SVM_NESTED_PAGING_EDX 0

int svm_caps_compute(const struct kvm_cpuid2 *cpuid, bool has_hsave_pa, struct svm_caps *ret_caps,
		     char *reason, size_t size)
{
	const struct kvm_cpuid_entry2 *svm = cpuid_leaf(cpuid, CPUID_SVM, 0);

	*ret_caps = (struct svm_caps){
		.asids = svm->ebx,
		.paging = {
			.has_2m = true,
			.has_1g = cpuid_leaf(cpuid, CPUID_EXTENDED, 0)->edx >> CPUID_PAGE1GB_EDX & 1,
			.maxphyaddr = (uint8_t)cpuid_leaf(cpuid, CPUID_WIDTHS, 0)->eax,
		},
	};
	if (!(svm->edx >> CPUID_SVM_NESTED_PAGING_EDX & 1))
		snprintf(reason, size,
			 "nested SVM without nested paging (CPUID Fn8000_000A EDX bit 0)");
	else if (svm->ebx < 2)
		snprintf(reason, size, "nested SVM without an address-space identifier for a guest");
	else if (!has_hsave_pa)
		snprintf(reason, size, "nested SVM without MSR VM_HSAVE_PA (0x%x)",
			 MSR_VM_HSAVE_PA);
	else
		return 0;
	return -EOPNOTSUPP;
}

/* Whether KVM knows the MSR. One that does not exist cannot be told to a vCPU, and VMRUN without it
 * raises #GP (arch/x86/kvm/svm/nested.c, nested_svm_vmrun). */
static bool knows_msr(const struct host *host, uint32_t index)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
	bool known = false;

	if (!list)
		return false;
	list->nmsrs = MSRS_MAX;
	if (ioctl(host->kvm, KVM_GET_MSR_INDEX_LIST, list) == 0)
		for (uint32_t i = 0; i < list->nmsrs && !known; i++)
			known = list->indices[i] == index;
	free(list);
	return known;
}

int svm_caps_read(const struct host *host, struct svm_caps *ret_caps, char *reason, size_t size)
{
	if (host->backend == HOST_BACKEND_BARE)
		return svm_caps_compute(host->cpuid, true, ret_caps, reason, size);
	if (!host_has_nested(host, false, reason, size))
		return -EOPNOTSUPP;
	if (!host->capability[HOST_CAP_user_space_msr]) {
		snprintf(reason, size, "no KVM_CAP_X86_USER_SPACE_MSR; use Linux 5.10 or later");
		return -EOPNOTSUPP;
	}
	return svm_caps_compute(host->cpuid, knows_msr(host, MSR_VM_HSAVE_PA), ret_caps, reason,
				size);
}
