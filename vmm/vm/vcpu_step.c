/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of an instruction that the VMM completes, and the exceptions that it raises instead. */
#include <errno.h>
#include <sys/ioctl.h>

#include "views/retire.h"
#include "vmm/vm/vcpu.h"
#include "vmm/vm/vcpu_msr.h"

#define VECTOR_DB 1
#define VECTOR_GP 13
#define VECTOR_PF 14
#define MSR_DEBUGCTL 0x1d9
#define NO_ERROR_CODE (-1)

/* What KVM injects as it is, without a look at registers or at DR6. An interrupt has to wait for the
 * next exit: KVM forgets one of two events that it is given. */
static int inject(struct vcpu *vcpu, uint8_t vector, int64_t error_code)
{
	struct kvm_vcpu_events events;
	struct kvm_regs *regs;

	if (ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) != 0)
		return -errno;
	events.exception.injected = 1;
	events.exception.nr = vector;
	events.exception.has_error_code = error_code != NO_ERROR_CODE;
	events.exception.error_code = error_code != NO_ERROR_CODE ? (uint32_t)error_code : 0;
	events.interrupt.shadow = 0;
	if (ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) != 0)
		return -errno;
	regs = vcpu_change_regs(vcpu);
	regs->rflags = retire_fault(regs->rflags, vector);
	vcpu->injected = true;
	return 0;
}

int vcpu_inject(struct vcpu *vcpu, uint8_t vector)
{
	return inject(vcpu, vector, vector == VECTOR_GP ? 0 : NO_ERROR_CODE);
}

int vcpu_inject_page_fault(struct vcpu *vcpu, uint64_t address, uint32_t error_code)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return -errno;
	sregs.cr2 = address;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) != 0)
		return -errno;
	return inject(vcpu, VECTOR_PF, error_code);
}

static int raise_trap(struct vcpu *vcpu)
{
	struct kvm_debugregs debug;

	if (ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &debug) != 0)
		return -errno;
	debug.dr6 |= RETIRE_DEBUG_BS;
	if (ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug) != 0)
		return -errno;
	return vcpu_inject(vcpu, VECTOR_DB);
}

/* 0 where KVM does not know it. */
static uint64_t debugctl_of(const struct vcpu *vcpu)
{
	uint64_t value;

	return vcpu_msr(vcpu, MSR_DEBUGCTL, &value) ? value : 0;
}

/* A KVM that leaves one instruction to the VMM does so again: from the first one on it tells at every
 * exit what would take a system call each time. */
static int read_events(struct vcpu *vcpu, struct kvm_vcpu_events *ret_events)
{
	struct kvm_run *run = vcpu->run;

	if (run->kvm_valid_regs & KVM_SYNC_X86_EVENTS) {
		*ret_events = run->s.regs.events;
		return 0;
	}
	run->kvm_valid_regs |= KVM_SYNC_X86_EVENTS;
	return ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, ret_events) == 0 ? 0 : -errno;
}

static int end_shadow(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;
	int rc = read_events(vcpu, &events);

	if (rc != 0 || events.interrupt.shadow == 0)
		return rc;
	events.interrupt.shadow = 0;
	return ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) == 0 ? 0 : -errno;
}

int vcpu_step(struct vcpu *vcpu, unsigned length)
{
	struct kvm_regs *regs = vcpu_change_regs(vcpu);
	struct retire state = {.rip = regs->rip, .rflags = regs->rflags};
	struct kvm_sregs sregs = {.cs.l = 1};
	int rc;

	if (retire_asks_mode(state.rip, length) && ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return -errno;
	retire(&state, length, sregs.cs.l,
	       retire_asks_debugctl(state.rflags) ? debugctl_of(vcpu) : 0);
	regs->rip = state.rip;
	regs->rflags = state.rflags;
	rc = end_shadow(vcpu);
	return rc == 0 && state.trap ? raise_trap(vcpu) : rc;
}

/*
 * KVM's interpreter leaves an instruction that stores into a device, or writes a port, finished to user
 * space, and does not look at TF then (arch/x86/kvm/x86.c, x86_emulate_instruction, "FIXME"). Of OUT it
 * interprets some only: where it has not moved RIP before the exit it does so, with the trap, when it
 * goes on.
 */
int vcpu_step_stored(struct vcpu *vcpu)
{
	const uint64_t rip = vcpu_regs(vcpu)->rip;
	int rc;

	if (!retire_asks_debugctl(vcpu_regs(vcpu)->rflags))
		return 0;
	if (vcpu->run->exit_reason == KVM_EXIT_IO) {
		rc = vcpu_finish_access(vcpu);
		if (rc != 0 || vcpu_regs(vcpu)->rip != rip)
			return rc;
	}
	return vcpu_step(vcpu, 0);
}
