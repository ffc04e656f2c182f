/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID says on the platform `pc`. */
#ifndef VMM_PC_PC_CPUID_H
#define VMM_PC_PC_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>

/* Entries that pc_cpuid() may need beyond those that KVM supports. */
#define PC_CPUID_MORE 3

/* Makes what KVM supports into what the processor of this APIC identifier says, as one of `vcpus` single-threaded cores
 * in one package: Intel SDM vol. 3A, 9.9.5, and AMD APM vol. 3, appendix E. There is room for PC_CPUID_MORE entries.
 * `deadline`: the local APIC's timer can follow the TSC, which KVM does not say by itself. */
void pc_cpuid(struct kvm_cpuid2 *cpuid, unsigned apic_id, unsigned vcpus, bool deadline);

#endif
