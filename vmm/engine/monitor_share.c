/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "vmm/engine/monitor.h"
#include "vmm/guest/boot.h"
#include "vmm/plan/host.h"

#define CPUID_XSAVE 0xd
#define CPUID_XSAVE_ECX (1u << 26)
#define DR6_DEFAULT 0xffff0ff0u
#define PAT_DEFAULT UINT64_C(0x0007040600070406)
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80
#define MXCSR_AT 24
enum { RSI = 6, RDI };

/* The bitmap is four of 8192 bits: reads of low and of high MSRs, then writes (Intel SDM vol. 3C, 25.6.9). */
#define BITMAP_PART 1024
#define BITMAP_WRITES 2

/* What a guest may use without an exit: what the relay switches, what control structures do, and, to read only,
 * the time. */
static const struct {
	uint32_t index;
	bool write;
} open_msrs[] = {
	{0x10, false},	     /* TIME_STAMP_COUNTER */
	{0x174, true},	     /* SYSENTER_CS, _ESP, _EIP */
	{0x175, true},	     {0x176, true},
	{0x1d9, true},	     /* DEBUGCTL */
	{0xc0000080, true},  /* EFER */
	{0xc0000100, true},  /* FS_BASE, GS_BASE */
	{0xc0000101, true},
};

static void open_msr(uint8_t *bitmap, uint32_t index, bool write)
{
	uint8_t *part = bitmap + (index >> 31) * BITMAP_PART;
	uint32_t bit = index & 0x1fff;

	part[bit / 8] &= (uint8_t)~(1u << bit % 8);
	if (write)
		part[BITMAP_WRITES * BITMAP_PART + bit / 8] &= (uint8_t)~(1u << bit % 8);
}

static uint64_t xcr0_all(const struct vm *vm)
{
	const struct kvm_cpuid_entry2 *state = cpuid_leaf(vm->host->cpuid, CPUID_XSAVE, 0);

	if (!(cpuid_leaf(vm->host->cpuid, 1, 0)->ecx & CPUID_XSAVE_ECX))
		return 0;
	return state->eax | (uint64_t)state->edx << 32;
}

void monitor_share(struct vm *leader, const struct monitor *monitor)
{
	static const uint32_t switched[] = {RELAY_WORLD_MSR_LIST};
	uint8_t *bitmap = monitor_at(monitor, RELAY_MSR_BITMAP);

	*(struct relay_group *)monitor_at(monitor, RELAY_GROUP) = (struct relay_group){
		.count = leader->plan->vms,
		.xcr0 = xcr0_all(leader),
	};
	memset(bitmap, 0xff, 4 * BITMAP_PART);
	for (size_t i = 0; i < sizeof(switched) / sizeof(switched[0]); i++)
		open_msr(bitmap, switched[i], true);
	for (size_t i = 0; i < sizeof(open_msrs) / sizeof(open_msrs[0]); i++)
		open_msr(bitmap, open_msrs[i].index, open_msrs[i].write);
}

void monitor_share_vcpu(struct vcpu *vcpu)
{
	const unsigned slot = vcpu->vm->slot;
	const uint64_t at = RELAY_WORLDS + UINT64_C(1) * RELAY_WORLD_STRIDE * slot;
	struct relay_world *world = monitor_at(vm_monitor(vcpu->vm), at);
	struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const uint32_t mxcsr = MXCSR_DEFAULT;
	const uint16_t fcw = FCW_DEFAULT;

	relay->group = RELAY_GROUP;
	relay->number = slot;
	relay->world = at;
	relay->regs[RDI] = BOOT_CONTEXT;
	relay->regs[RSI] = vcpu->index;
	memcpy(world->fpu, &fcw, sizeof(fcw));
	memcpy(world->fpu + MXCSR_AT, &mxcsr, sizeof(mxcsr));
	world->xcr0 = 1;
	world->dr[4] = DR6_DEFAULT;
	world->msr[RELAY_WORLD_PAT] = PAT_DEFAULT;
}
