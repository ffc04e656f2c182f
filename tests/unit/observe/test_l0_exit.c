/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits put together from samples of kvm tracepoints. */
#include "tests/unit/observe/trace_fixture.h"

#include <errno.h>

#include "vmm/observe/l0_exit.h"

static struct l0_exit emitted[16];
static size_t emitted_count;

static void keep(void *opaque, struct l0_exit *exit)
{
	assert_ptr_equal(opaque, emitted);
	assert_true(emitted_count < ARRAY_SIZE(emitted));
	emitted[emitted_count++] = *exit;
}

static struct l0_assembler assembler_for(enum trace_id start)
{
	emitted_count = 0;
	return (struct l0_assembler){.start = start, .emit = keep, .opaque = emitted};
}

static void feed(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
		 const struct raw *raw)
{
	l0_assemble(assembler, formats, time, raw->bytes, sizeof(raw->bytes));
}

/* An exit takes what the tracepoints between it and the next entry say; its cost ends there. */
static void exits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct kernel *kernel = &kernels[i];
		struct l0_assembler assembler = assembler_for(TRACE_kvm_exit);
		struct raw entry = make(kernel, TRACE_kvm_entry);
		struct raw to_user = make(kernel, TRACE_kvm_userspace_exit);
		struct raw interrupted = to_user, emulated = make(kernel, TRACE_kvm_emulate_insn);
		struct raw first = make_exit(kernel, 28, 0x100), second = make_exit(kernel, 30, 0x200);
		struct trace_formats formats;

		load(kernel, &formats);
		set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
		set(&interrupted, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-4);
		feed(&assembler, &formats, 5, &entry);
		feed(&assembler, &formats, 6, &to_user); /* of an exit before recording began */
		feed(&assembler, &formats, 10, &first);
		feed(&assembler, &formats, 11, &emulated);
		feed(&assembler, &formats, 12, &interrupted);
		assert_int_equal(emitted_count, 0);
		feed(&assembler, &formats, 17, &entry);
		feed(&assembler, &formats, 18, &entry);
		feed(&assembler, &formats, 20, &second);
		feed(&assembler, &formats, 22, &to_user);
		assert_int_equal(emitted_count, 1);
		feed(&assembler, &formats, 30, &first); /* its entry was lost */
		l0_assemble_end(&assembler);
		l0_assemble_end(&assembler);
		assert_int_equal(emitted_count, 3);
		assert_int_equal(emitted[0].time, 10);
		assert_int_equal(emitted[0].cost, 7);
		assert_int_equal(emitted[0].reason, 28);
		assert_int_equal(emitted[0].rip, 0x100);
		assert_int_equal(emitted[0].isa, 1);
		assert_int_equal(emitted[0].flags, L0_EMULATED);
		assert_int_equal(emitted[1].reason, 30);
		assert_int_equal(emitted[1].flags, L0_USERSPACE);
		assert_int_equal(emitted[1].cost, 0);
		assert_int_equal(emitted[2].time, 30);
		assert_int_equal(emitted[2].flags, 0);
		assert_int_equal(assembler.seen[TRACE_kvm_exit], 3);
		assert_int_equal(assembler.seen[TRACE_kvm_entry], 3);
		assert_int_equal(assembler.seen[TRACE_kvm_userspace_exit], 3);
	}
}

static struct l0_return backs[8];
static size_t back_count;

static void keep_return(void *opaque, const struct l0_return *back)
{
	assert_ptr_equal(opaque, emitted);
	assert_true(back_count < ARRAY_SIZE(backs));
	backs[back_count++] = *back;
}

/* Who asks for returns of KVM_RUN gets each: by KVM's reason, or what the error was; until the next entry or return. */
static void returns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct kernel *kernel = &kernels[i];
		struct l0_assembler assembler = assembler_for(TRACE_kvm_exit);
		struct raw entry = make(kernel, TRACE_kvm_entry), to_user = make(kernel, TRACE_kvm_userspace_exit);
		struct raw interrupted = to_user, failed = to_user, exit = make_exit(kernel, 30, 0x100);
		struct trace_formats formats;

		load(kernel, &formats);
		assembler.emit_return = keep_return;
		back_count = 0;
		set(&entry, kernel, TRACE_kvm_entry, "vcpu_id", 3);
		set(&to_user, kernel, TRACE_kvm_userspace_exit, "reason", EXIT_REASON_IO);
		set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
		set(&interrupted, kernel, TRACE_kvm_userspace_exit, "reason", EXIT_REASON_IO);
		set(&interrupted, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-EINTR);
		set(&failed, kernel, TRACE_kvm_userspace_exit, "reason", EXIT_REASON_IO);
		set(&failed, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-EFAULT);
		feed(&assembler, &formats, 5, &interrupted); /* of an exit before recording began */
		feed(&assembler, &formats, 8, &entry);
		assert_true(assembler.vcpu_known);
		assert_int_equal(assembler.vcpu, 3);
		feed(&assembler, &formats, 10, &exit);
		feed(&assembler, &formats, 12, &to_user);
		feed(&assembler, &formats, 15, &failed);
		feed(&assembler, &formats, 19, &entry);
		feed(&assembler, &formats, 20, &exit);
		feed(&assembler, &formats, 21, &to_user);
		l0_assemble_end(&assembler);
		assert_int_equal(back_count, 4);
		assert_int_equal(backs[0].reason, EXIT_REASON_INTR);
		assert_int_equal(backs[0].rip, 0);
		assert_int_equal(backs[0].cost, 3);
		assert_int_equal(backs[1].reason, EXIT_REASON_IO);
		assert_int_equal(backs[1].rip, 0x100);
		assert_int_equal(backs[1].time, 12);
		assert_int_equal(backs[1].cost, 3);
		assert_int_equal(backs[2].reason, EXIT_REASON_UNKNOWN);
		assert_int_equal(backs[2].cost, 4);
		assert_int_equal(backs[3].cost, 0); /* nobody saw it entered again */
		assert_int_equal(emitted_count, 2);
	}
}

/* KVM_RUN that returns without an exit of the guest's own: the next exit says so, whether or not the vCPU was entered. */
static void unprompted(void **state)
{
	const struct kernel *kernel = &kernels[0];
	struct l0_assembler assembler = assembler_for(TRACE_kvm_exit);
	struct raw exit = make_exit(kernel, 28, 0x100), entry = make(kernel, TRACE_kvm_entry);
	struct raw to_user = make(kernel, TRACE_kvm_userspace_exit);
	struct trace_formats formats;

	(void)state;
	load(kernel, &formats);
	set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
	feed(&assembler, &formats, 1, &exit);
	feed(&assembler, &formats, 2, &to_user);
	feed(&assembler, &formats, 3, &to_user); /* turned back before the entry */
	feed(&assembler, &formats, 4, &entry);
	feed(&assembler, &formats, 5, &exit);
	feed(&assembler, &formats, 6, &entry);
	feed(&assembler, &formats, 7, &to_user); /* of an exit for the host, which is no sample */
	feed(&assembler, &formats, 8, &entry);
	feed(&assembler, &formats, 9, &exit);
	feed(&assembler, &formats, 10, &to_user);
	feed(&assembler, &formats, 11, &entry);
	feed(&assembler, &formats, 12, &exit);
	feed(&assembler, &formats, 13, &to_user);
	l0_assemble_end(&assembler);
	feed(&assembler, &formats, 14, &to_user); /* recording has begun again */
	feed(&assembler, &formats, 15, &exit);
	l0_assemble_end(&assembler);
	assert_int_equal(emitted_count, 5);
	assert_int_equal(emitted[0].flags, L0_USERSPACE);
	assert_int_equal(emitted[1].flags, L0_UNPROMPTED);
	assert_int_equal(emitted[2].flags, L0_UNPROMPTED | L0_USERSPACE);
	assert_int_equal(emitted[3].flags, L0_USERSPACE);
	assert_int_equal(emitted[4].flags, 0);
}

/* Where KVM interprets, an instruction stands for an exit. */
static void instructions(void **state)
{
	const struct kernel *kernel = &kernels[1];
	struct l0_assembler assembler = assembler_for(TRACE_kvm_emulate_insn);
	struct raw raw = make(kernel, TRACE_kvm_emulate_insn);
	struct trace_formats formats;

	(void)state;
	load(kernel, &formats);
	set(&raw, kernel, TRACE_kvm_emulate_insn, "rip", 0x100040);
	feed(&assembler, &formats, 1, &raw);
	feed(&assembler, &formats, 2, &raw);
	assert_int_equal(emitted_count, 1);
	assert_int_equal(emitted[0].rip, 0x100040);
	assert_int_equal(emitted[0].isa, 0);
	assert_int_equal(emitted[0].flags, 0);
}

/* Of most of them nothing is recorded: a return that follows one is not its own, and what comes next is not its end. */
static void few_of_the_instructions(void **state)
{
	const struct kernel *kernel = &kernels[1];
	struct l0_assembler assembler = assembler_for(TRACE_kvm_emulate_insn);
	struct raw raw = make(kernel, TRACE_kvm_emulate_insn), to_user = make(kernel, TRACE_kvm_userspace_exit);
	struct trace_formats formats;

	(void)state;
	load(kernel, &formats);
	assembler.sparse = true;
	assembler.emit_return = keep_return;
	back_count = 0;
	set(&raw, kernel, TRACE_kvm_emulate_insn, "rip", 0x100040);
	set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
	feed(&assembler, &formats, 1, &raw);
	feed(&assembler, &formats, 2, &to_user);
	feed(&assembler, &formats, 5, &to_user);
	feed(&assembler, &formats, 9, &raw);
	l0_assemble_end(&assembler);
	assert_int_equal(emitted_count, 2);
	assert_int_equal(emitted[0].rip, 0x100040);
	assert_int_equal(emitted[0].flags, 0);
	assert_int_equal(back_count, 2);
	for (size_t i = 0; i < back_count; i++) {
		assert_int_equal(backs[i].rip, 0);
		assert_int_equal(backs[i].cost, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits),
		cmocka_unit_test(returns),
		cmocka_unit_test(unprompted),
		cmocka_unit_test(instructions),
		cmocka_unit_test(few_of_the_instructions),
	};

	return cmocka_run_group_tests_name("l0_exit", tests, NULL, NULL);
}
