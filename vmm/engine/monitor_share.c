/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/engine/monitor.h"
#include "vmm/guest/boot.h"
#include "vmm/plan/host.h"

#define CPUID_XSAVE 0xd
#define CPUID_XSAVE_ECX (1u << 26)
#define DR6_DEFAULT 0xffff0ff0u
#define MSR_PAT 0x277
#define PAT_DEFAULT UINT64_C(0x0007040600070406)
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80
#define MXCSR_AT 24
enum { RSI = 6, RDI };

/* What a guest may use without an exit, and why that is no other one's affair. */
enum share { READ_ONLY, BY_CONTROL /* VMRESUME, or VMLOAD and VMRUN, load it */, BY_RELAY };

static const struct shared_msr {
	uint32_t index;
	enum share vmx, svm;
} msrs[] = {
	{0x10, READ_ONLY, READ_ONLY},	     /* TIME_STAMP_COUNTER */
	{0x174, BY_CONTROL, BY_CONTROL},     /* SYSENTER_CS, _ESP, _EIP */
	{0x175, BY_CONTROL, BY_CONTROL},
	{0x176, BY_CONTROL, BY_CONTROL},
	{0x1d9, BY_CONTROL, BY_RELAY},	     /* DEBUGCTL */
	{MSR_PAT, BY_RELAY, BY_RELAY},	     /* KVM has one for all that are nested (svm/nested.c) */
	{0xc0000080, BY_CONTROL, BY_CONTROL}, /* EFER */
	{0xc0000081, BY_RELAY, BY_CONTROL},  /* STAR, LSTAR, CSTAR, FMASK */
	{0xc0000082, BY_RELAY, BY_CONTROL},
	{0xc0000083, BY_RELAY, BY_CONTROL},
	{0xc0000084, BY_RELAY, BY_CONTROL},
	{0xc0000100, BY_CONTROL, BY_CONTROL}, /* FS_BASE, GS_BASE */
	{0xc0000101, BY_CONTROL, BY_CONTROL},
	{0xc0000102, BY_RELAY, BY_CONTROL},  /* KERNEL_GS_BASE */
};
#define MSR_COUNT (sizeof(msrs) / sizeof(msrs[0]))

/* A bitmap, of which both vendors have the low and the high MSRs in parts of their own. */
#define BITMAP_SIZE 8192

static void clear_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit / 8] &= (uint8_t)~(1u << bit % 8);
}

/* Four parts of 8192 bits: reads of low and of high MSRs, then writes (Intel SDM vol. 3C, 25.6.9). */
static void open_vmx(uint8_t *bitmap, uint32_t index, bool write)
{
	const uint32_t bit = (index >> 31) * 8192 + (index & 0x1fff);

	clear_bit(bitmap, bit);
	if (write)
		clear_bit(bitmap, 2 * 8192 + bit);
}

/* Two bits an MSR, the second for writes; the high ones begin at 2 KiB (AMD APM vol. 2, 15.11). */
static void open_svm(uint8_t *bitmap, uint32_t index, bool write)
{
	const uint32_t bit = (index >> 31) * 0x4000 + 2 * (index & 0x1fff);

	clear_bit(bitmap, bit);
	if (write)
		clear_bit(bitmap, bit + 1);
}

/* Without KVM only the computer knows: its monitor does this itself. */
static uint64_t xcr0_all(const struct vm *vm)
{
	const struct kvm_cpuid_entry2 *state;

	if (vm->plan->bare || !(cpuid_leaf(vm->host->cpuid, 1, 0)->ecx & CPUID_XSAVE_ECX))
		return 0;
	state = cpuid_leaf(vm->host->cpuid, CPUID_XSAVE, 0);
	return state->eax | (uint64_t)state->edx << 32;
}

static enum share share_of(const struct vm *vm, size_t row)
{
	return vm->plan->engine->id == ENGINE_VMX ? msrs[row].vmx : msrs[row].svm;
}

void monitor_keep_msrs(const struct vm *vm, const struct monitor *monitor)
{
	uint8_t *bitmap = monitor_at(monitor, RELAY_MSR_BITMAP);
	const bool vmx = vm->plan->engine->id == ENGINE_VMX;

	memset(bitmap, 0xff, BITMAP_SIZE);
	for (size_t i = 0; i < MSR_COUNT; i++)
		(vmx ? open_vmx : open_svm)(bitmap, msrs[i].index, share_of(vm, i) != READ_ONLY);
}

void monitor_share(struct vm *leader, const struct monitor *monitor)
{
	struct relay_group *group = monitor_at(monitor, RELAY_GROUP);

	*group = (struct relay_group){.count = leader->plan->vms, .xcr0 = xcr0_all(leader)};
	monitor_keep_msrs(leader, monitor);
	for (size_t i = 0; i < MSR_COUNT; i++)
		if (share_of(leader, i) == BY_RELAY)
			group->msrs[group->msr_count++] = msrs[i].index;
}

/* As a processor is after reset, where that is not 0; but all of XCR0 is enabled, which saves the relay to do so at every
 * switch. */
static void set_world(struct relay_world *world, const struct relay_group *group)
{
	const uint32_t mxcsr = MXCSR_DEFAULT;
	const uint16_t fcw = FCW_DEFAULT;

	memcpy(world->fpu, &fcw, sizeof(fcw));
	memcpy(world->fpu + MXCSR_AT, &mxcsr, sizeof(mxcsr));
	world->xcr0 = group->xcr0;
	world->dr[4] = DR6_DEFAULT;
	for (uint64_t i = 0; i < group->msr_count; i++)
		if (group->msrs[i] == MSR_PAT)
			world->msr[i] = PAT_DEFAULT;
}

/* KVM has to know: it writes XCR0 at entries to L1, and not everywhere does the relay's XSETBV reach it (the emulator of
 * the AMD lab has no such intercept). */
static int enable_all(const struct vcpu *vcpu, uint64_t xcr0, struct error *error)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = xcr0};

	if (!xcr0 || ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs) == 0)
		return 0;
	return error_set(error, -errno, STATUS_INTERNAL, "KVM_SET_XCRS: %s", strerror(errno));
}

int monitor_share_vcpu(struct vcpu *vcpu, struct error *error)
{
	const struct monitor *monitor = vm_monitor(vcpu->vm);
	const struct relay_group *group = monitor_at(monitor, RELAY_GROUP);
	const unsigned slot = vcpu->vm->slot;
	struct relay_vcpu *relay = monitor_vcpu(vcpu);

	relay->group = RELAY_GROUP;
	relay->number = slot;
	relay->world = RELAY_WORLDS + UINT64_C(1) * RELAY_WORLD_STRIDE * slot;
	relay->regs[RDI] = BOOT_CONTEXT;
	relay->regs[RSI] = vcpu->index;
	set_world(monitor_at(monitor, relay->world), group);
	return enable_all(vcpu, group->xcr0, error);
}

int monitor_begin(struct vcpu *vcpu, int (*install)(struct vcpu *vcpu, struct error *error),
		  struct error *error)
{
	struct vm *vm = vcpu->vm;

	if (!vm->plan->share_vcpu)
		return install(vcpu, error);
	return vm->slot + 1 < vm->plan->vms ? 0 : install(&vm->leader->vcpus[0], error);
}
