/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/interrupt.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#include "vmm/observe/recorder.h"

static void record_event(struct vcpu *vcpu, uint64_t vector, enum interrupt_event event)
{
	struct record_interrupt record = {
		.record = {.type = RECORD_INTERRUPT, .size = sizeof(record)},
		.time = __rdtsc(),
		.operation = vcpu_operation(vcpu),
		.vector = (uint16_t)vector,
		.event = (uint16_t)event,
	};

	if (event != INTERRUPT_EVENT_NONE)
		recorder_add(vcpu->recorder, &record.record);
}

int interrupt_raise(struct vcpu *vcpu, uint64_t vector)
{
	enum interrupt_event event;
	int rc = interrupts_raise(vcpu->interrupts, vector, &event);

	if (rc == 0)
		record_event(vcpu, vector, event);
	return rc;
}

int interrupt_set(struct vcpu *vcpu, uint64_t vector, uint64_t disposition)
{
	enum interrupt_event event;
	int rc = interrupts_set(vcpu->interrupts, vector, disposition, &event);

	if (rc == 0)
		record_event(vcpu, vector, event);
	return rc;
}

int interrupt_at_halts(struct vcpu *vcpu, uint64_t vector, uint64_t count)
{
	if (vector < INTERRUPT_VECTOR_MIN || vector >= INTERRUPT_VECTORS)
		return -EINVAL;
	vcpu->halt_vector = vector;
	vcpu->halts = count;
	return 0;
}

bool interrupt_halted(struct vcpu *vcpu)
{
	if (!vcpu->run->if_flag)
		return false;
	if (vcpu->halts > 0) {
		vcpu->halts--;
		interrupt_raise(vcpu, vcpu->halt_vector);
	}
	return interrupts_next(vcpu->interrupts) != 0;
}

/*
 * KVM's word for it, but for one case: between the relay's VMRESUME or VMRUN and the entry that it
 * stands for, KVM calls the nested guest ready whatever its flags (vmx_interrupt_allowed() and
 * svm_interrupt_allowed() give -EBUSY, of which kvm_arch_interrupt_allowed() makes "yes"). What KVM is
 * given then takes the place of an exception that the relay injects by that entry, and on Intel fails
 * it if the guest is in the shadow of STI. The first window after an answer to the relay is such a
 * one; asked again, KVM enters the guest first and says the truth.
 */
static bool can_take(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (vcpu->injected ||
	    (vcpu->entry_pending && run->exit_reason == KVM_EXIT_IRQ_WINDOW_OPEN))
		return false;
	return run->ready_for_interrupt_injection && run->if_flag;
}

/* Seldom: what it keeps on the stack is no concern of other exits. */
__attribute__((noinline)) static void deliver_next(struct vcpu *vcpu)
{
	struct kvm_interrupt interrupt = {.irq = interrupts_next(vcpu->interrupts)};

	if (interrupt.irq != 0 && can_take(vcpu)) {
		if (ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt) != 0) {
			vm_stop(vcpu->vm, STOP_HOST, STATUS_INTERNAL, "KVM_INTERRUPT: %s",
				strerror(errno));
			return;
		}
		interrupts_take(vcpu->interrupts, interrupt.irq);
		record_event(vcpu, interrupt.irq, INTERRUPT_DELIVERED);
	}
	vcpu->run->request_interrupt_window = interrupts_next(vcpu->interrupts) != 0;
}

void interrupt_deliver(struct vcpu *vcpu)
{
	if (interrupts_any(vcpu->interrupts))
		deliver_next(vcpu);
	else
		vcpu->run->request_interrupt_window = 0;
	/* An answer to the relay during this exit concerns the next one. */
	vcpu->entry_pending = vcpu->answered;
	vcpu->answered = false;
	vcpu->injected = false;
}
