/* SPDX-License-Identifier: GPL-2.0-only */
#include "monitor_msr.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define COUNT_MAX 0x200

/* KVM's, in the numbers of its first version, and Hyper-V's (Documentation/virt/kvm/x86/msr.rst). */
static const struct monitor_msrs paravirtual[] = {
	{0x4b564d00, 0x100},
	{0x11, 2},
	{0x40000000, COUNT_MAX},
};

#define PARAVIRTUAL_COUNT (sizeof(paravirtual) / sizeof(paravirtual[0]))

_Static_assert(PARAVIRTUAL_COUNT + MONITOR_MSRS_MORE <= KVM_MSR_FILTER_MAX_RANGES, "KVM's limit");

static struct kvm_msr_filter_range range(struct monitor_msrs msrs)
{
	/* A bit that is clear denies an access; what is in no range is allowed. */
	static uint8_t denied[COUNT_MAX / 8];

	return (struct kvm_msr_filter_range){
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
		.nmsrs = msrs.count,
		.base = msrs.first,
		.bitmap = denied,
	};
}

int monitor_msr_protect(struct vm *vm, const struct monitor_msrs *more, size_t count,
			struct error *error)
{
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};

	for (size_t i = 0; i < PARAVIRTUAL_COUNT; i++)
		filter.ranges[i] = range(paravirtual[i]);
	for (size_t i = 0; i < count && i < MONITOR_MSRS_MORE; i++)
		filter.ranges[PARAVIRTUAL_COUNT + i] = range(more[i]);
	if (ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) == 0)
		return 0;
	return error_set(error, -errno, STATUS_INTERNAL, "KVM_X86_SET_MSR_FILTER: %s",
			 strerror(errno));
}
