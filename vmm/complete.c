/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that the VMM carries out where KVM interprets guest code and does not know them. On
 * hardware none of them gets here.
 */
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "invoke.h"
#include "run.h"
#include "vcpu.h"

#define VECTOR_UD 6
#define VECTOR_NM 7

static bool complete_vmfunc(struct vcpu *vcpu, unsigned length)
{
	const struct kvm_regs *regs = vcpu_regs(vcpu);
	struct invocation invocation = {
		.number = (uint32_t)regs->rax,
		.index = (uint32_t)regs->rcx,
		.arg = {regs->rdx, regs->rbx},
	};
	struct kvm_sregs sregs;
	unsigned vector;
	uint64_t rax;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return false;
	invocation.cpl = sregs.ss.dpl;
	if (invoke_vmfunc(vcpu, &invocation, &vector, &rax) != 0)
		return false;
	if (vector)
		return vcpu_inject(vcpu, (uint8_t)vector) == 0;
	vcpu_change_regs(vcpu)->rax = rax;
	return vcpu_step(vcpu, length) == 0;
}

/* WAIT raises #NM if TS and MP are both set (Intel SDM vol. 2D, WAIT/FWAIT). Pending x87 exceptions
 * cannot exist: unmasking one takes an instruction that the same interpreter does not know. */
static bool complete_wait(struct vcpu *vcpu, unsigned length)
{
	const uint64_t both = SS_CR0_TS | SS_CR0_MP;
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return false;
	if ((sregs.cr0 & both) == both)
		return vcpu_inject(vcpu, VECTOR_NM) == 0;
	return vcpu_step(vcpu, length) == 0;
}

/* A hypercall instruction that this guest does not have. KVM finds that out in its interpreter when
 * the guest is nested, and reports it as a failure (arch/x86/kvm/emulate.c, em_hypercall). */
static bool complete_hypercall(struct vcpu *vcpu, unsigned length)
{
	(void)length;
	return vcpu_inject(vcpu, VECTOR_UD) == 0;
}

static const struct {
	uint8_t bytes[3];
	unsigned length;
	bool (*complete)(struct vcpu *vcpu, unsigned length);
} instructions[] = {
	{{0x0f, 0x01, 0xd4}, 3, complete_vmfunc},
	{{0x9b}, 1, complete_wait},
	{{0x0f, 0x01, 0xc1}, 3, complete_hypercall}, /* VMCALL */
	{{0x0f, 0x01, 0xd9}, 3, complete_hypercall}, /* VMMCALL */
};

bool complete_instruction(struct vcpu *vcpu, const uint8_t *bytes, unsigned length)
{
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
		if (length >= instructions[i].length &&
		    memcmp(bytes, instructions[i].bytes, instructions[i].length) == 0)
			return instructions[i].complete(vcpu, instructions[i].length);
	return false;
}
