/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The least that a program must do to run a guest: the same ioctls as sidestep, none of its code.
 * It loads a flat binary, runs it until it writes port 0xf4 and drops every other port write. What
 * sidestep adds is measured against this, in the same run (`sidestep bench --launch` and `--exit`).
 * Without a binary it does nothing, which is what any program takes to start and to end.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MEMORY (16u << 20)
#define CODE 0x100000
#define CODE_MAX 4096
#define PORT_EXIT 0xf4
#define CPUID_ENTRIES 256

#ifndef KVM_CAP_DISABLE_QUIRKS2
#define KVM_CAP_DISABLE_QUIRKS2 213
#endif

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(77);
}

static void enable(int vm, uint32_t cap, uint64_t value)
{
	struct kvm_enable_cap enable_cap = {.cap = cap, .args = {value}};

	ioctl(vm, KVM_ENABLE_CAP, &enable_cap);
}

static void fill(uint8_t *memory, const char *path)
{
	uint64_t *pml4 = (void *)(memory + 0x1000), *pdpt = (void *)(memory + 0x2000);
	uint64_t *pd = (void *)(memory + 0x3000), *gdt = (void *)(memory + 0x4000);
	FILE *file = fopen(path, "r");

	need(file != NULL && fread(memory + CODE, 1, CODE_MAX, file) > 0, path);
	fclose(file);
	pml4[0] = 0x2007;
	pdpt[0] = 0x3007;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | 0x87;
	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
}

static void enter(int vcpu)
{
	struct kvm_segment code = {.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1,
				   .l = 1, .g = 1};
	struct kvm_segment data = {.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1,
				   .db = 1, .g = 1};
	struct kvm_regs regs = {.rip = CODE, .rsp = 0x9000, .rflags = 2};
	struct kvm_sregs sregs;

	need(ioctl(vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cr0 = 0x80000031;
	sregs.cr3 = 0x1000;
	sregs.cr4 = 0x620;
	sregs.efer = 0x500;
	sregs.gdt.base = 0x4000;
	sregs.gdt.limit = 63;
	need(ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
	need(ioctl(vcpu, KVM_SET_REGS, &regs) == 0, "KVM_SET_REGS");
}

static int prepare(int kvm, int vm, const char *path)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[CPUID_ENTRIES];
	} *cpuid = calloc(1, sizeof(*cpuid));
	uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY,
						     .userspace_addr = (uintptr_t)memory};
	int vcpu;

	need(cpuid != NULL && memory != MAP_FAILED, "memory");
	cpuid->header.nent = CPUID_ENTRIES;
	need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0, "KVM_GET_SUPPORTED_CPUID");
	enable(vm, KVM_CAP_DISABLE_QUIRKS2, 1 << 5);
	enable(vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
	fill(memory, path);
	need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	need(vcpu >= 0, "KVM_CREATE_VCPU");
	need(ioctl(vcpu, KVM_SET_CPUID2, cpuid) == 0, "KVM_SET_CPUID2");
	free(cpuid);
	enter(vcpu);
	return vcpu;
}

int main(int argc, char **argv)
{
	const char *device = getenv("SIDESTEP_KVM") ?: "/dev/kvm";
	int kvm, vm, vcpu, size;
	struct kvm_run *run;

	if (argc < 2)
		return 0;
	kvm = open(device, O_RDWR | O_CLOEXEC);
	need(kvm >= 0, device);
	need(ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION, "KVM_GET_API_VERSION");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	need(vm >= 0, "KVM_CREATE_VM");
	vcpu = prepare(kvm, vm, argv[1]);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	need(run != MAP_FAILED, "mmap of the vCPU");
	do
		need(ioctl(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_IO, "KVM_RUN");
	while (run->io.port != PORT_EXIT);
	return 0;
}
