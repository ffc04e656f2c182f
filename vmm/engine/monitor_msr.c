/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/engine/monitor_msr.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define COUNT_MAX 0x200

/* Through which somebody writes by addresses that are translated as L1's: KVM, in its numbers and in those of its
 * first version, Hyper-V's interface (Documentation/virt/kvm/x86/msr.rst), and the processor's records of
 * events, for which L1's linear addresses are those of the monitor's tables while it runs (IA32_PEBS_ENABLE,
 * MSR_PEBS_DATA_CFG, IA32_DS_AREA; Intel SDM vol. 3B, 20.6.2.4 and 18.4.9). */
static const struct monitor_msrs withheld[] = {
	{0x4b564d00, 0x100},
	{0x11, 2},
	{0x40000000, COUNT_MAX},
	{0x3f1, 2},
	{0x600, 1},
};

#define WITHHELD_COUNT (sizeof(withheld) / sizeof(withheld[0]))

_Static_assert(WITHHELD_COUNT + MONITOR_MSRS_MORE <= KVM_MSR_FILTER_MAX_RANGES, "KVM's limit");

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

	for (size_t i = 0; i < WITHHELD_COUNT; i++)
		filter.ranges[i] = range(withheld[i]);
	for (size_t i = 0; i < count && i < MONITOR_MSRS_MORE; i++)
		filter.ranges[WITHHELD_COUNT + i] = range(more[i]);
	if (ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) == 0)
		return 0;
	return error_set(error, -errno, STATUS_INTERNAL, "KVM_X86_SET_MSR_FILTER: %s",
			 strerror(errno));
}

int monitor_msr_load(const struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = {{.nmsrs = 1}, {.index = index, .data = value}};

	return ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) == 1 ? 0 : -EIO;
}
