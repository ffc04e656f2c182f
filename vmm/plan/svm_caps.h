/* SPDX-License-Identifier: GPL-2.0-only */
/* What nested SVM the host offers. */
#ifndef VMM_PLAN_SVM_CAPS_H
#define VMM_PLAN_SVM_CAPS_H

#include "views/paging.h"
#include "vmm/plan/host.h"

#define MSR_EFER 0xc0000080
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

struct svm_caps {
	uint32_t asids; /* address-space identifiers, 0 included */
	struct paging_caps paging;
};

/* Returns 0, or a negative errno with the missing thing by name in `reason`. */
int svm_caps_read(const struct host *host, struct svm_caps *ret_caps, char *reason, size_t size);

/* As above, from CPUID and from whether MSR VM_HSAVE_PA exists: the part without ioctl. */
int svm_caps_compute(const struct kvm_cpuid2 *cpuid, bool has_hsave_pa, struct svm_caps *ret_caps,
		     char *reason, size_t size);

#endif
