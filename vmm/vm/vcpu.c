/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/vm/vcpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"
#include "vmm/pc/pc_cpuid.h"
#include "vmm/vm/kernel_symbols.h"
#include "vmm/vm/pc.h"
#include "vmm/vm/vcpu_msr.h"

#define EFER_LONG_MODE 0x500
#define RFLAGS_FIXED 2
#define TYPE_CODE 11
#define TYPE_DATA 3
#define TYPE_TSS 11
#define MSR_TSC 0x10
#define PARTS_MAX 8192
#define CPUID_KVM_FEATURES 0x40000001

static int failed(struct error *error, const char *what)
{
	int rc = errno ? -errno : -EIO;

	return error_set(error, rc, STATUS_INTERNAL, "%s: %s", what, strerror(-rc));
}

/* A nested guest gets no paravirtual services of KVM, see monitor_msr.h. */
static int set_cpuid(const struct vcpu *vcpu)
{
	const struct kvm_cpuid2 *host = vcpu->vm->host->cpuid;
	size_t size = sizeof(*host) + host->nent * sizeof(host->entries[0]);
	struct kvm_cpuid2 *cpuid = malloc(size + PC_CPUID_MORE * sizeof(host->entries[0]));
	int rc = -1;

	if (!cpuid)
		return -1;
	memcpy(cpuid, host, size);
	if (vcpu->vm->pc)
		pc_cpuid(cpuid, vcpu->index, vcpu->vm->plan->vcpus,
			 vcpu->vm->host->capability[HOST_CAP_tsc_deadline_timer] > 0);
	for (uint32_t i = 0; i < cpuid->nent && engine_has_monitor(vcpu->vm->plan->engine); i++)
		if (cpuid->entries[i].function == CPUID_KVM_FEATURES)
			cpuid->entries[i].eax = 0;
	rc = ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return rc;
}

void vcpu_prepare(struct vcpu *vcpu, struct vm *vm, unsigned index)
{
	*vcpu = (struct vcpu){.vm = vm, .index = index, .fd = -1};
	vcpu->interrupts = &vcpu->own_interrupts;
	interrupts_init(vcpu->interrupts);
	vcpu->page = vm->pc ? &vm->pc->pages[index].page
			    : guest_ram_at(&vm->ram, boot_vcpu_page(index), sizeof(struct ss_vcpu_page));
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index, struct error *error)
{
	int size = ioctl(vm->host->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu_prepare(vcpu, vm, index);
	vcpu->recorder = recorder_create(vm->index, index, &vm->plan->image, vcpu->page);
	if (!vcpu->recorder)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	if (vm->leader != vm) {
		vcpu->fd = vm->leader->vcpus[index].fd;
		vcpu->run = vm->leader->vcpus[index].run;
		return 0;
	}
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		return failed(error, "KVM_CREATE_VCPU");
	if (size < (int)sizeof(struct kvm_run))
		return failed(error, "KVM_GET_VCPU_MMAP_SIZE");
	vcpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return failed(error, "mapping of a vCPU's run page");
	}
	vcpu->run_size = (size_t)size;
	vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	if (set_cpuid(vcpu) != 0)
		return failed(error, "KVM_SET_CPUID2");
	if (vm->host->capability[HOST_CAP_binary_stats_fd] && !vm->plan->share_vcpu)
		recorder_open_stats(vcpu->recorder, vcpu->fd);
	return 0;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->vm && vcpu->vm->ops->vcpu_finish)
		vcpu->vm->ops->vcpu_finish(vcpu);
	recorder_destroy(vcpu->recorder);
	if (vcpu->run_size)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0 && vcpu->vm->leader == vcpu->vm)
		close(vcpu->fd);
	*vcpu = (struct vcpu){.fd = -1};
}

void vcpu_thread_name(const struct vcpu *vcpu, char name[VCPU_NAME_SIZE])
{
	if (vcpu->vm->plan->vms == 1)
		snprintf(name, VCPU_NAME_SIZE, "vcpu%u", vcpu->index);
	else
		snprintf(name, VCPU_NAME_SIZE, "vm%u-vcpu%u", vcpu->vm->index, vcpu->index);
}

static void set_segments(struct kvm_sregs *sregs, unsigned index)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = SS_SEL_CODE, .type = TYPE_CODE, .present = 1,
		.s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = SS_SEL_DATA, .type = TYPE_DATA, .present = 1,
		.s = 1, .db = 1, .g = 1,
	};
	struct kvm_segment none = {.unusable = 1};

	sregs->cs = code;
	sregs->ss = sregs->ds = sregs->es = data;
	sregs->fs = sregs->gs = data;
	sregs->fs.selector = sregs->gs.selector = 0;
	sregs->ldt = none;
	sregs->tr = (struct kvm_segment){
		.base = BOOT_TSS + BOOT_TSS_STRIDE * (uint64_t)index,
		.limit = 0x67, .selector = SS_SEL_TSS, .type = TYPE_TSS, .present = 1,
	};
	sregs->gdt.base = BOOT_GDT + BOOT_GDT_STRIDE * (uint64_t)index;
	sregs->gdt.limit = BOOT_GDT_STRIDE - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
}

void vcpu_start_state(const struct vcpu *vcpu, struct kvm_sregs *sregs, struct kvm_regs *ret_regs)
{
	*ret_regs = (struct kvm_regs){
		.rip = vcpu->vm->plan->image.entry,
		.rsp = BOOT_STACKS + BOOT_STACK_STRIDE * (uint64_t)vcpu->index + SS_STACK_SIZE,
		.rdi = BOOT_CONTEXT,
		.rsi = vcpu->index,
		.rflags = RFLAGS_FIXED,
	};
	set_segments(sregs, vcpu->index);
	sregs->cr0 = SS_CR0_BASE;
	sregs->cr3 = BOOT_PML4;
	sregs->cr4 = SS_CR4_BASE;
	sregs->efer = EFER_LONG_MODE;
}

static int set_start_state(struct vcpu *vcpu, struct error *error)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return failed(error, "KVM_GET_SREGS");
	if (vcpu->vm->pc)
		pc_start_state(vcpu->vm, &sregs, &regs);
	else
		vcpu_start_state(vcpu, &sregs, &regs);
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) != 0)
		return failed(error, "KVM_SET_SREGS");
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) != 0)
		return failed(error, "KVM_SET_REGS");
	return 0;
}

int vcpu_start(struct vcpu *vcpu, struct error *error)
{
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	int rc;

	if (vcpu->vm->pc)
		return vcpu->index == 0 ? set_start_state(vcpu, error) : 0;
	rc = set_start_state(vcpu, error);
	/* There is no interrupt controller, so no vCPU waits for a start-up IPI; all start at once. */
	if (rc == 0 && ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable) != 0 && errno != EINVAL)
		return failed(error, "KVM_SET_MP_STATE");
	return rc;
}

int vcpu_sregs(struct vcpu *vcpu, struct kvm_sregs *ret_sregs)
{
	return ioctl(vcpu->fd, KVM_GET_SREGS, ret_sregs) == 0 ? 0 : -errno;
}

/* Linux before 5.16 does not tell it. Half of the time that reading the guest's counter takes is
 * then the error. */
static int estimate_tsc_offset(const struct vcpu *vcpu, int64_t *ret_offset)
{
	uint64_t before = __rdtsc(), after, counter;

	if (!vcpu_msr(vcpu, MSR_TSC, &counter))
		return -EIO;
	after = __rdtsc();
	*ret_offset = (int64_t)(counter - (before + (after - before) / 2));
	return 0;
}

int vcpu_tsc_offset(struct vcpu *vcpu, int64_t *ret_offset)
{
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)ret_offset,
	};

	if (ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attribute) == 0)
		return 0;
	return estimate_tsc_offset(vcpu, ret_offset);
}

uint64_t vcpu_tsc_khz(const struct vcpu *vcpu)
{
	int khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint64_t)khz : 0;
}

/* Nothing is there for what the rest of the instruction reads, and nobody takes what it writes. Returns
 * whether KVM has left it for a part of it. */
static bool drop_part(struct kvm_run *run)
{
	if (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	if (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN)
		memset((uint8_t *)run + run->io.data_offset, 0xff,
		       (size_t)run->io.size * run->io.count);
	return run->exit_reason == KVM_EXIT_MMIO || run->exit_reason == KVM_EXIT_IO;
}

/* KVM finishes an access before it looks at immediate_exit (Documentation/virt/kvm/api.rst, KVM_RUN), and
 * looks at it after as many repetitions of a string instruction at the latest as fit here. A kick that
 * arrives here is not lost: the caller's loop looks at `stop` after this has cleared the flag. */
int vcpu_finish_access(struct vcpu *vcpu)
{
	int rc = -EIO;

	for (unsigned i = 0; i < PARTS_MAX; i++) {
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		if (ioctl(vcpu->fd, KVM_RUN, 0) != 0) {
			rc = errno == EINTR ? 0 : -errno;
			break;
		}
		if (!drop_part(vcpu->run))
			break;
	}
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	return rc;
}

void vcpu_number_regs(const struct kvm_regs *regs, uint64_t ret_regs[16])
{
	const uint64_t numbered[] = {
		regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp, regs->rsi, regs->rdi,
		regs->r8,  regs->r9,  regs->r10, regs->r11, regs->r12, regs->r13, regs->r14, regs->r15,
	};

	memcpy(ret_regs, numbered, sizeof(numbered));
}

struct kvm_regs *vcpu_change_regs(struct vcpu *vcpu)
{
	vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	return &vcpu->run->s.regs.regs;
}

uint32_t vcpu_operation(const struct vcpu *vcpu)
{
	return recorder_operation(vcpu->recorder);
}

void vcpu_describe_at(struct vcpu *vcpu, uint64_t rip, char *text, size_t size)
{
	const struct image *image = &vcpu->vm->plan->image;
	const struct image_symbol *symbol;
	char where[96] = "", doing[96] = "";
	uint64_t offset;

	kernel_symbols_find(vcpu);
	symbol = kernel_symbols_at(vcpu->vm, rip, &offset);
	if (symbol)
		snprintf(where, sizeof(where), " (%.60s+0x%llx)", symbol->name,
			 (unsigned long long)offset);
	if (image_operations(image))
		snprintf(doing, sizeof(doing), " in operation %s", image_operation_name(image, vcpu_operation(vcpu)));
	snprintf(text, size, "vcpu%u at rip 0x%llx%s%s", vcpu->index, (unsigned long long)rip, where, doing);
}

void vcpu_describe(struct vcpu *vcpu, char *text, size_t size)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) != 0)
		regs = *vcpu_regs(vcpu);
	vcpu_describe_at(vcpu, regs.rip, text, size);
}
