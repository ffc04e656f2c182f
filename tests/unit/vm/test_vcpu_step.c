/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM is told when the VMM ends an instruction, or raises an exception instead. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/observe/recorder.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/service.h"
#include "vmm/vm/vcpu.h"

#define RIP 0x100000u
#define FLAGS 0x202u
#define TF 0x100u
#define RF 0x10000u
#define BS 0x4000u
#define DR6_INIT 0xffff0ff0u
#define VECTOR 0x60

static struct {
	struct kvm_run run;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_sregs sregs;
	uint64_t debugctl;
	bool knows_debugctl;
	unsigned interrupts;
	unsigned entries; /* calls of KVM_RUN, which have to leave at once */
	uint64_t moves;   /* what KVM adds to RIP when it goes on */
} kvm;
static struct ss_vcpu_page page;
static const struct image image;
static struct recorder records = {.page = &page, .image = &image};
static struct vcpu vcpu;

static int run(void)
{
	assert_int_equal(kvm.run.immediate_exit, 1);
	kvm.entries++;
	kvm.run.s.regs.regs.rip += kvm.moves;
	kvm.run.exit_reason = KVM_EXIT_INTR;
	errno = EINTR;
	return -1;
}

static int read_msr(struct kvm_msrs *msrs)
{
	assert_int_equal(msrs->nmsrs, 1);
	assert_int_equal(msrs->entries[0].index, 0x1d9);
	msrs->entries[0].data = kvm.debugctl;
	return kvm.knows_debugctl;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;

	(void)fd;
	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	switch (request) {
	case KVM_RUN:
		return run();
	case KVM_GET_MSRS:
		return read_msr(arg);
	case KVM_INTERRUPT:
		kvm.interrupts++;
		return 0;
#define X(GET, SET, object)                                                                        \
	case GET:                                                                                  \
		memcpy(arg, &(object), sizeof(object));                                            \
		return 0;                                                                          \
	case SET:                                                                                  \
		memcpy(&(object), arg, sizeof(object));                                            \
		return 0
		X(KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, kvm.events);
		X(KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, kvm.debug);
		X(KVM_GET_SREGS, KVM_SET_SREGS, kvm.sregs);
#undef X
	default:
		fail_msg("unexpected request 0x%lx", request);
	}
	return -1;
}

void __wrap_recorder_add(struct recorder *recorder, struct record *record);
void __wrap_recorder_add(struct recorder *recorder, struct record *record)
{
	(void)recorder;
	(void)record;
}

static void start(uint64_t rflags)
{
	memset(&kvm, 0, sizeof(kvm));
	kvm.debug.dr6 = DR6_INIT;
	kvm.sregs.cs.l = 1;
	kvm.knows_debugctl = true;
	kvm.run.s.regs.regs.rip = RIP;
	kvm.run.s.regs.regs.rflags = rflags;
	vcpu = (struct vcpu){.run = &kvm.run, .recorder = &records};
}

static bool is_injected(uint8_t vector)
{
	return kvm.events.exception.injected && kvm.events.exception.nr == vector && vcpu.injected;
}

static void every_instruction_ends_alike(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2 * 2 * 2 * 2 * 2 * 2; n++) {
		bool trap = n & 1 && !(n & 4 && n & 8);

		start(FLAGS | (n & 1 ? TF : 0) | (n & 2 ? RF : 0));
		kvm.debugctl = n & 4 ? 2 : 0;
		kvm.knows_debugctl = n & 8;
		kvm.events.interrupt.shadow = n & 16 ? KVM_X86_SHADOW_INT_STI : 0;
		/* KVM has told the events at the exit already. */
		if (n & 32) {
			kvm.run.kvm_valid_regs = KVM_SYNC_X86_EVENTS;
			kvm.run.s.regs.events = kvm.events;
		}
		assert_int_equal(vcpu_step(&vcpu, 5), 0);
		assert_int_equal(kvm.run.s.regs.regs.rip, RIP + 5);
		assert_int_equal(kvm.run.s.regs.regs.rflags, FLAGS | (n & 1 ? TF : 0));
		assert_int_equal(kvm.run.kvm_dirty_regs, KVM_SYNC_X86_REGS);
		assert_int_equal(kvm.events.interrupt.shadow, 0);
		assert_true(kvm.run.kvm_valid_regs & KVM_SYNC_X86_EVENTS);
		assert_int_equal(is_injected(1), trap);
		assert_int_equal(kvm.events.exception.has_error_code, 0);
		assert_int_equal(kvm.debug.dr6, trap ? DR6_INIT | BS : DR6_INIT);
	}
}

static void eip_has_32_bits_outside_64_bit_mode(void **state)
{
	(void)state;
	for (unsigned l = 0; l < 2; l++) {
		start(FLAGS);
		kvm.sregs.cs.l = l & 1;
		kvm.run.s.regs.regs.rip = 0xffffffff;
		assert_int_equal(vcpu_step(&vcpu, 3), 0);
		assert_int_equal(kvm.run.s.regs.regs.rip, l ? 0x100000002 : 2);
	}
}

static void faults_set_rf(void **state)
{
	(void)state;
	start(FLAGS | TF);
	kvm.events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	assert_int_equal(vcpu_inject(&vcpu, 13), 0);
	assert_true(is_injected(13));
	assert_int_equal(kvm.events.exception.has_error_code, 1);
	assert_int_equal(kvm.events.exception.error_code, 0);
	assert_int_equal(kvm.events.interrupt.shadow, 0);
	assert_int_equal(kvm.run.s.regs.regs.rflags, FLAGS | TF | RF);
	assert_int_equal(kvm.run.s.regs.regs.rip, RIP);
	start(FLAGS);
	assert_int_equal(vcpu_inject(&vcpu, 6), 0);
	assert_int_equal(kvm.events.exception.has_error_code, 0);
	start(FLAGS);
	assert_int_equal(vcpu_inject_page_fault(&vcpu, 0x1234, 7), 0);
	assert_true(is_injected(14));
	assert_int_equal(kvm.events.exception.has_error_code, 1);
	assert_int_equal(kvm.events.exception.error_code, 7);
	assert_int_equal(kvm.sregs.cr2, 0x1234);
	assert_int_equal(kvm.run.s.regs.regs.rflags, FLAGS | RF);
}

/* An OUT of which KVM's interpreter has moved RIP already is trapped here, one that KVM ends when it
 * goes on is not; a store into a device always is. Without TF KVM is not even asked. */
static void what_kvm_has_finished_is_trapped_once(void **state)
{
	static const struct {
		uint32_t reason;
		uint64_t tf, moves;
		bool trap;
		unsigned entries;
	} rows[] = {
		{KVM_EXIT_IO, TF, 0, true, 1},	 {KVM_EXIT_IO, TF, 2, false, 1},
		{KVM_EXIT_IO, 0, 0, false, 0},	 {KVM_EXIT_MMIO, TF, 0, true, 0},
		{KVM_EXIT_MMIO, 0, 0, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(FLAGS | rows[i].tf);
		kvm.run.exit_reason = rows[i].reason;
		kvm.moves = rows[i].moves;
		assert_int_equal(vcpu_step_stored(&vcpu), 0);
		assert_int_equal(is_injected(1), rows[i].trap);
		assert_int_equal(kvm.entries, rows[i].entries);
		assert_int_equal(kvm.run.s.regs.regs.rip, RIP + rows[i].moves);
		assert_int_equal(kvm.run.immediate_exit, 0);
		/* What KVM has still to do it does with its own registers. */
		assert_int_equal(kvm.run.kvm_dirty_regs, rows[i].trap ? KVM_SYNC_X86_REGS : 0);
	}
}

/* KVM forgets one of two events: the interrupt comes an exit later. */
static void an_interrupt_waits_for_an_exception(void **state)
{
	enum interrupt_event event;

	(void)state;
	start(FLAGS);
	vcpu.interrupts = &vcpu.own_interrupts;
	interrupts_init(vcpu.interrupts);
	assert_int_equal(interrupts_raise(vcpu.interrupts, VECTOR, &event), 0);
	kvm.run.ready_for_interrupt_injection = 1;
	kvm.run.if_flag = 1;
	assert_int_equal(vcpu_inject(&vcpu, 6), 0);
	interrupt_deliver(&vcpu);
	assert_int_equal(kvm.interrupts, 0);
	assert_int_equal(kvm.run.request_interrupt_window, 1);
	interrupt_deliver(&vcpu);
	assert_int_equal(kvm.interrupts, 1);
	assert_int_equal(kvm.run.request_interrupt_window, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_instruction_ends_alike),
		cmocka_unit_test(eip_has_32_bits_outside_64_bit_mode),
		cmocka_unit_test(faults_set_rf),
		cmocka_unit_test(what_kvm_has_finished_is_trapped_once),
		cmocka_unit_test(an_interrupt_waits_for_an_exception),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
