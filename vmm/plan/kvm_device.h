/* SPDX-License-Identifier: GPL-2.0-only */
/* The KVM device: /dev/kvm, or what the environment variable SIDESTEP_KVM names, for tests of the messages. */
#ifndef VMM_PLAN_KVM_DEVICE_H
#define VMM_PLAN_KVM_DEVICE_H

#include "vmm/base/error.h"

/* Where CPUID says that a processor has what KVM is built on, and that KVM gives it to guests. */
#define CPUID_VMX_LEAF 1
#define CPUID_VMX_ECX (1u << 5)
#define CPUID_SVM_LEAF 0x80000001
#define CPUID_SVM_ECX (1u << 2)

const char *kvm_device_path(void);

/*
 * Returns a descriptor, or a negative errno. If this host has no such device, or it is not for this user, `error` has the
 * remedy that fits this host, and the status is the same whichever command has asked: STATUS_SKIPPED.
 */
int kvm_device_open(struct error *error);

#endif
