/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/plan/host.h"

/* Addresses of 36 bits, which every processor with EPT or NPT has. */
#define WIDTHS 36
#define SVM_NESTED_PAGING_EDX 1
#define ASIDS 2

/* What is asked for by a plan; what is not there reads as 0. */
static const struct kvm_cpuid_entry2 entries[] = {
	{.function = 0x80000008, .eax = WIDTHS},
	{.function = 0x8000000a, .ebx = ASIDS, .edx = SVM_NESTED_PAGING_EDX},
};

int host_bare(struct host *host, struct error *error)
{
	*host = (struct host){
		.kvm = -1,
		.backend = HOST_BACKEND_BARE,
		.memory = UINT64_C(4) << 30,
		.kernel = "none",
	};
	host->cpuid = calloc(1, sizeof(*host->cpuid) + sizeof(entries));
	if (!host->cpuid)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	host->cpuid->nent = sizeof(entries) / sizeof(entries[0]);
	memcpy(host->cpuid->entries, entries, sizeof(entries));
	return 0;
}
