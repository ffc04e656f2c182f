/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/run_loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#include "views/effect.h"
#include "vmm/emulate/slot_violation.h"
#include "vmm/emulate/triple_fault.h"
#include "vmm/observe/recorder.h"
#include "vmm/run/emulation_failure.h"
#include "vmm/run/share.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/mark.h"
#include "vmm/vm/pc.h"
#include "vmm/vm/vcpu.h"

#define EMULATION_FLAG_BYTES 1u
#define ALL_HALTED "every vCPU has halted for good and none wrote an exit status"

static _Thread_local struct kvm_run *current_run;

/* KVM_RUN returns at once if the flag is set, so a kick between the check of `stop` and the system
 * call is not lost (Documentation/virt/kvm/api.rst, immediate_exit). */
static void kick(int signal)
{
	(void)signal;
	if (current_run)
		__atomic_store_n(&current_run->immediate_exit, 1, __ATOMIC_RELAXED);
}

int run_install_kick(void)
{
	struct sigaction action = {.sa_handler = kick};

	sigemptyset(&action.sa_mask);
	return sigaction(KICK_SIGNAL, &action, NULL) == 0 ? 0 : -errno;
}

static void stop_guest(struct vcpu *vcpu, const char *what)
{
	char where[200];

	vcpu_describe(vcpu, where, sizeof(where));
	vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED, "%s; %s", what, where);
}

/* A vCPU that nothing can wake. The VM goes on while another one runs. */
static void park(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	vcpu->parked = true;
	if (atomic_fetch_add(&vm->halted, 1) + 1 == vm->plan->vcpus)
		stop_guest(vcpu, ALL_HALTED);
}

/* Behind a store or an OUT, which KVM has finished before the exit. */
static void step_stored(struct vcpu *vcpu)
{
	int rc = vcpu_step_stored(vcpu);

	if (rc != 0)
		vm_stop(vcpu->vm, STOP_HOST, STATUS_INTERNAL, "the single-step trap could not be raised: %s",
			strerror(-rc));
}

static void handle_io(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	const struct kvm_run *run = vcpu->run;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;
	uint8_t *data = (uint8_t *)vcpu->run + run->io.data_offset;

	vcpu->exit.qualification = run->io.port;
	vcpu->exit.detail = (uint16_t)(run->io.size | out << 8);
	pthread_mutex_lock(&vm->lock);
	vm->active = vcpu;
	/* String I/O moves through the data, not through the ports. */
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (out)
			bus_write(&vm->ports, run->io.port, data, run->io.size);
		else
			bus_read(&vm->ports, run->io.port, data, run->io.size);
	}
	if (vm->pc && out)
		pc_look_at_power(vm);
	pthread_mutex_unlock(&vm->lock);
	if (vm->exit_port.written)
		vm_stop(vm, STOP_EXIT, vm->exit_port.status, "guest exit status %u",
			vm->exit_port.status);
	else if (out)
		step_stored(vcpu);
}

/* There the page of devices has no slot in any view; elsewhere the view's tables keep it back. */
static bool withheld(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	uint64_t gpa = vcpu->run->mmio.phys_addr;
	unsigned access = vcpu->run->mmio.is_write ? VIEW_WRITE : VIEW_READ;

	return vm->ops->view_switch && gpa >= SS_MMIO_GPA &&
	       gpa - SS_MMIO_GPA < GPA_PAGE_SIZE &&
	       !(policy_effect(&vm->policy, vm->view, gpa_at(gpa)).rights & access);
}

static void handle_mmio(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_run *run = vcpu->run;
	bool write = run->mmio.is_write;

	vcpu->exit.qualification = run->mmio.phys_addr;
	vcpu->exit.detail = (uint16_t)(run->mmio.len | run->mmio.is_write << 8);
	pthread_mutex_lock(&vm->lock);
	vm->active = vcpu;
	if (guest_ram_contains(vm->ram.size, gpa_at(run->mmio.phys_addr), 1) || withheld(vcpu))
		slot_violation_access(vcpu);
	else if (write)
		bus_write(&vm->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		bus_read(&vm->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	pthread_mutex_unlock(&vm->lock);
	if (write && !vcpu->injected)
		step_stored(vcpu);
}

static void handle_hlt(struct vcpu *vcpu)
{
	if (!interrupt_halted(vcpu))
		park(vcpu);
}

/* Nothing has to be done: interrupts are delivered, and `stop` is looked at, after every exit. */
static void handle_resume(struct vcpu *vcpu)
{
	(void)vcpu;
}

static void handle_shutdown(struct vcpu *vcpu)
{
	struct kvm_regs general;
	char what[TRIPLE_FAULT_TEXT];
	struct kvm_sregs sregs;
	uint64_t regs[16];

	/* A guest's own is one of the relay's exits. */
	if (vcpu->vm->plan->share_vcpu)
		vm_stop(vcpu->vm, STOP_HOST, STATUS_INTERNAL,
			"the monitor, whose guests share the vCPU, could not take an exception");
	if (engine_has_monitor(vcpu->vm->plan->engine)) {
		stop_guest(vcpu, "triple fault: the monitor could not take an exception");
		return;
	}
	if (ioctl(vcpu->fd, KVM_GET_REGS, &general) != 0)
		general = *vcpu_regs(vcpu);
	vcpu_number_regs(&general, regs);
	triple_fault_describe(vcpu, vcpu_sregs(vcpu, &sregs) == 0 ? &sregs : NULL, general.rip, regs, what);
	stop_guest(vcpu, what);
}

static void handle_fail_entry(struct vcpu *vcpu)
{
	vcpu->exit.qualification = vcpu->run->fail_entry.hardware_entry_failure_reason;
	vm_stop(vcpu->vm, STOP_HOST, STATUS_INTERNAL,
		"the processor refused to enter the guest (hardware reason 0x%llx)",
		(unsigned long long)vcpu->exit.qualification);
}

static void emulation_failed(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	unsigned length = 0;
	uint8_t bytes[15];
	char what[160];

	/* Without data the flags are those of an earlier exit (Documentation/virt/kvm/api.rst). */
	if (run->emulation_failure.ndata > 0 &&
	    run->emulation_failure.flags & EMULATION_FLAG_BYTES) {
		length = run->emulation_failure.insn_size;
		if (length > sizeof(bytes))
			length = sizeof(bytes);
		memcpy(bytes, run->emulation_failure.insn_bytes, length);
	}
	pthread_mutex_lock(&vcpu->vm->lock);
	vcpu->vm->active = vcpu;
	if (emulation_failure_complete(vcpu, bytes, length) ||
	    (vcpu->vm->plan->engine->id == ENGINE_FLAT && slot_violation_fetch(vcpu)) ||
	    emulation_failure_for_user(vcpu)) {
		pthread_mutex_unlock(&vcpu->vm->lock);
		return;
	}
	pthread_mutex_unlock(&vcpu->vm->lock);
	emulation_failure_describe(vcpu, bytes, length, what, sizeof(what));
	stop_guest(vcpu, what);
}

static void handle_internal_error(struct vcpu *vcpu)
{
	uint32_t suberror = vcpu->run->internal.suberror;
	char what[64];

	vcpu->exit.qualification = suberror;
	if (suberror == KVM_INTERNAL_ERROR_EMULATION) {
		emulation_failed(vcpu);
		return;
	}
	snprintf(what, sizeof(what), "KVM gave up with internal error %u", suberror);
	stop_guest(vcpu, what);
}

static void handle_notify(struct vcpu *vcpu)
{
	vcpu->exit.qualification = vcpu->run->notify.flags;
	if (vcpu->run->notify.flags & KVM_NOTIFY_CONTEXT_INVALID)
		stop_guest(vcpu, "the guest took no event for too long, and its state is lost");
}

static void handle_unexpected(struct vcpu *vcpu)
{
	char what[64];

	snprintf(what, sizeof(what), "unexpected exit %s (%u)",
		 exit_reason_key(vcpu->run->exit_reason), vcpu->run->exit_reason);
	stop_guest(vcpu, what);
}

static void handle_msr(struct vcpu *vcpu)
{
	vcpu->exit.qualification = vcpu->run->msr.index;
	if (vcpu->vm->ops->msr)
		vcpu->vm->ops->msr(vcpu);
	else
		handle_unexpected(vcpu);
}

static void (*const handlers[EXIT_REASON_COUNT])(struct vcpu *vcpu) = {
#define EXIT(number, name, handler, key) [number] = handle_##handler,
#include "vmm/ledger/exit.def"
#undef EXIT
};

#define EXIT(number, name, handler, key)                                                           \
	_Static_assert(EXIT_REASON_##name == (number), "exit.def names each reason once");
#include "vmm/ledger/exit.def"
#undef EXIT

static void handle_exit(struct vcpu *vcpu)
{
	uint32_t reason = vcpu->run->exit_reason;
	uint64_t start = __rdtsc(), cost;
	struct record_exit *exit = &vcpu->exit;

	*exit = (struct record_exit){
		.record = {.type = RECORD_EXIT, .size = sizeof(*exit), .level = LEVEL_VMM},
		.time = start,
		.rip = vcpu_regs(vcpu)->rip,
		.operation = recorder_operation(vcpu->recorder),
		.reason = (uint16_t)reason,
	};
	recorder_observe(vcpu->recorder);
	/* Only this thread counts. */
	atomic_store_explicit(&vcpu->exits, atomic_load_explicit(&vcpu->exits, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	if (vcpu->vm->ops->catch_up)
		vcpu->vm->ops->catch_up(vcpu);
	if (reason < EXIT_REASON_COUNT && handlers[reason])
		handlers[reason](vcpu);
	else
		handle_unexpected(vcpu);
	interrupt_deliver(vcpu);
	cost = __rdtsc() - start;
	exit->cost = cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
	recorder_exit(vcpu->recorder, exit);
}

static void run_failed(struct vcpu *vcpu, int error)
{
	char where[200];

	vcpu_describe(vcpu, where, sizeof(where));
	vm_stop(vcpu->vm, STOP_HOST, STATUS_INTERNAL, "KVM_RUN: %s; %s", strerror(error), where);
}

static void finish(struct vcpu *vcpu)
{
	/* Here, because no other thread may ask the kernel for what is this one's. */
	recorder_end_samples(vcpu->recorder);
	if (vcpu->vm->ops->drain)
		vcpu->vm->ops->drain(vcpu);
	mark_finish(vcpu);
	recorder_end(vcpu->recorder);
}

void run_vcpu(struct vcpu *first)
{
	const bool shared = share_count(first) > 1;
	sigset_t kicks;

	current_run = first->run;
	sigemptyset(&kicks);
	sigaddset(&kicks, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kicks, NULL);
	while (!share_over(first)) {
		if (ioctl(first->fd, KVM_RUN, 0) == 0) {
			struct vcpu *vcpu = shared ? share_running(first) : first;

			handle_exit(vcpu);
			if (shared)
				share_hand_over(vcpu);
			continue;
		}
		if (errno != EINTR && errno != EAGAIN) {
			run_failed(shared ? share_running(first) : first, errno);
			break;
		}
		/* exit_reason is stale now. Cleared before `stop` is looked at, so that a kick
		 * from here on is seen by the next KVM_RUN. */
		__atomic_store_n(&first->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		recorder_kicked(first->recorder);
		if (first->vm->pc && pc_all_halted(first))
			stop_guest(first, ALL_HALTED);
		share_end_slice(first);
	}
	pthread_sigmask(SIG_BLOCK, &kicks, NULL);
	current_run = NULL;
	for (unsigned i = 0; i < share_count(first); i++)
		finish(share_vcpu(first, i));
}
