/* SPDX-License-Identifier: MIT */
/* What the guest demonstrates: its catalogue, and a line for people on each part. */
#include "kernel.h"

/* An engine without monitor changes views by rearranging memory: a twentieth of the calls must do there. */
#define FEWER 20

/* What the sums of everybody have to be. */
static uint64_t expected_a, expected_b, expected_kernel;
static uint8_t status;
extern uint32_t gate_mode;

/* The work of the operations: `count` repetitions, and what the last one yielded. */

static uint64_t work_nothing(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		__asm__ volatile("");
	return 0;
}

static uint64_t work_local(uint64_t count)
{
	uint64_t (*volatile serve)(uint64_t, uint64_t) = kernel_serve;
	uint64_t value = 0;

	for (uint64_t i = 1; i <= count; i++)
		value = serve(KERNEL_COUNT, i);
	return value;
}

#define CALL(name, view, function)                                                                 \
	static uint64_t work_##name(uint64_t count)                                                \
	{                                                                                          \
		uint64_t value = 0;                                                                \
                                                                                                   \
		for (uint64_t i = 1; i <= count; i++)                                              \
			value = kernel_call(view, function, i);                                    \
		return value;                                                                      \
	}
/* Once, however many are wanted: the driver is cut off. */
#define ATTEMPT(name, function)                                                                    \
	static uint64_t work_##name(uint64_t count)                                                \
	{                                                                                          \
		(void)count;                                                                       \
		return kernel_call(VIEW_A, function, 0);                                           \
	}

CALL(call, VIEW_A, A_ADD)
CALL(chain, VIEW_A, A_CHAIN)
CALL(after, VIEW_B, B_CHAIN)
ATTEMPT(write_kernel, A_WRITE_KERNEL)
ATTEMPT(write_driver, A_WRITE_DRIVER)
ATTEMPT(jump_kernel, A_JUMP_KERNEL)
ATTEMPT(forge_answer, A_FORGE_ANSWER)

#define CALLS(name_, routine, way, insn_, kind_, needs_, text)                                    \
	{.name = "modules." name_ "." way, .needs = needs_, .meaning = text " by " way,           \
	 .entry = (uint64_t)(routine),  .kind = SS_KIND_##kind_,        \
	 .insn = SS_INSN_##insn_, .count = 1000}
#define HOSTILE(name_, routine, insn_, text)                                                       \
	{.name = "modules.hostile." name_, .needs = "views", .meaning = text,                      \
	 .entry = (uint64_t)(routine), .arg = VIEW_A << 8, .kind = SS_KIND_VIEW_ACCESS,            \
	 .insn = SS_INSN_##insn_, .count = 1}

enum operation {
	OP_NOTHING = 1,
	OP_LOCAL,
	OP_CALL_VMFUNC,
	OP_CHAIN_VMFUNC,
	OP_CALL_VMCALL,
	OP_CHAIN_VMCALL,
	OP_WRITE_KERNEL,
	OP_WRITE_DRIVER,
	OP_JUMP_KERNEL,
	OP_FORGE_ANSWER,
	OP_AFTER,
	OP_END,
};

__attribute__((section(SS_OPERATION_SECTION), used)) static const struct ss_operation catalogue[] = {
	[OP_NOTHING - 1] = {.name = "modules.nothing", .meaning = "the empty loop",
			    .entry = (uint64_t)work_nothing, .kind = SS_KIND_NOTHING,
			    .insn = SS_INSN_NONE, .count = 1000},
	[OP_LOCAL - 1] = {.name = "modules.call.local", .meaning = "call of a function in the same view",
			  .entry = (uint64_t)work_local, .kind = SS_KIND_VIEW_ACCESS,
			  .insn = SS_INSN_CALL, .count = 1000},
	[OP_CALL_VMFUNC - 1] = CALLS("call", work_call, "vmfunc", VMFUNC, VMFUNC, "views",
				     "kernel calls driver A: 2 switches"),
	[OP_CHAIN_VMFUNC - 1] = CALLS("chain", work_chain, "vmfunc", VMFUNC, VMFUNC, "views",
				      "kernel calls A, A calls B, B calls the kernel: 6 switches"),
	[OP_CALL_VMCALL - 1] = CALLS("call", work_call, "vmcall", VMCALL, HYPERCALL_SERVICE,
				     "monitor views", "kernel calls driver A: 2 switches"),
	[OP_CHAIN_VMCALL - 1] = CALLS("chain", work_chain, "vmcall", VMCALL, HYPERCALL_SERVICE,
				      "monitor views",
				      "kernel calls A, A calls B, B calls the kernel: 6 switches"),
	[OP_WRITE_KERNEL - 1] = HOSTILE("write-kernel", work_write_kernel, STORE,
					"driver A writes the kernel's data"),
	[OP_WRITE_DRIVER - 1] = HOSTILE("write-driver", work_write_driver, STORE,
					"driver A writes driver B's data"),
	[OP_JUMP_KERNEL - 1] = HOSTILE("jump-kernel", work_jump_kernel, CALL,
				       "driver A jumps into the kernel's middle"),
	[OP_FORGE_ANSWER - 1] = HOSTILE("forge-answer", work_forge_answer, VMFUNC,
					"driver A answers driver B, which has not asked: no violation"),
	[OP_AFTER - 1] = CALLS("after", work_after, "vmfunc", VMFUNC, VMFUNC, "views",
			       "kernel calls B, B calls the kernel: 4 switches"),
};

/* How the gate is to change views; nothing else differs. */
static uint32_t mode_of(const struct ss_operation *op)
{
	if (op->insn != SS_INSN_VMCALL)
		return GATE_VMFUNC;
	return context->flags & SS_CONTEXT_VMMCALL ? GATE_VMMCALL : GATE_VMCALL;
}

static void measure(uint32_t number, struct ss_result *result)
{
	uint64_t (*work)(uint64_t count) = (uint64_t (*)(uint64_t))catalogue[number - 1].entry;

	mark(page, number);
	for (uint32_t i = 0; i < result->samples; i++) {
		uint64_t start = read_tsc(), ticks;

		result->value = work(result->sample_size);
		ticks = read_tsc() - start;
		result->ticks[i] = saturate(ticks);
	}
	mark(page, 0);
}

/* A sample adds 1, 2, ... to the sums of those that its calls reach. */
static void expect_sums(uint32_t number, const struct ss_result *result)
{
	uint64_t n = result->sample_size, added = result->samples * (n * (n + 1) / 2);
	int call = number == OP_CALL_VMFUNC || number == OP_CALL_VMCALL;
	int chain = number == OP_CHAIN_VMFUNC || number == OP_CHAIN_VMCALL;

	if (call || chain)
		expected_a += added;
	if (chain || number == OP_AFTER)
		expected_b += added;
	if (chain || number == OP_AFTER || number == OP_LOCAL)
		expected_kernel += added;
}

static uint32_t repetitions(const struct ss_operation *op)
{
	if (context->iterations)
		return context->iterations;
	return context->flags & SS_CONTEXT_MONITOR || op->count < FEWER ? op->count
									: op->count / FEWER;
}

static void perform(uint32_t number)
{
	const struct ss_operation *op = &catalogue[number - 1];
	uint32_t wanted = repetitions(op);
	struct ss_result *result = &page->result;

	result->operation = number;
	divide_samples(result, wanted);
	result->faults = 0;
	result->vector = SS_NO_VECTOR;
	result->error_code = 0;
	result->overhead = 0;
	gate_mode = mode_of(op);

	page->request.arg[0] = number;
	page->request.arg[1] = result->count;
	if (request(page, SS_REQUEST_BATCH_BEGIN) != 0)
		finish(1);
	measure(number, result);
	request(page, SS_REQUEST_BATCH_END);
	expect_sums(number, result);
	request(page, SS_REQUEST_RESULT);
	gate_mode = GATE_VMFUNC;
}

static uint64_t perform_all(uint32_t first, uint32_t last)
{
	uint64_t done = 0;

	for (uint32_t number = first; number <= last; number++) {
		if (!is_selected(context, number))
			continue;
		perform(number);
		done += page->result.count;
	}
	return done;
}

/* Whatever a driver did, nobody else's data has changed. */
static int data_is_right(void)
{
	return driver_b_sum == expected_b && kernel_sum == expected_kernel &&
	       kernel_secret == KERNEL_SECRET;
}

/* What the drivers themselves say; A is not asked any more once it has turned hostile. */
static int drivers_agree(int ask_a)
{
	if (!is_selected(context, OP_CALL_VMFUNC))
		return 1;
	return (!ask_a || kernel_call(VIEW_A, A_ADD, 0) == expected_a) &&
	       kernel_call(VIEW_B, B_SUM, 0) == expected_b;
}

static void tell_sums(uint64_t repetitions_done, const char *what, int ask_a)
{
	say("modules: ");
	say_number(repetitions_done);
	say(what);
	if (data_is_right() && drivers_agree(ask_a)) {
		say(": every sum is right");
	} else {
		say(": a sum is WRONG");
		status = 1;
	}
	say_line();
}

static void tell_fault(void)
{
	say("cut off by exception ");
	say_number(last_fault.vector);
	if (last_fault.vector == VECTOR_PF) {
		say(", error code ");
		say_hex(last_fault.error_code);
		say(", at ");
		say_hex(last_fault.address);
	}
	say(last_fault.confirmed ? ", in view " : ", by its own account in view ");
	say_number(last_fault.sender);
}

/* A hostile call ends in one of two ways: the driver is cut off, or it goes on without having changed
 * anything. */
static void attempt(uint32_t number, const char *what)
{
	uint32_t faults = last_fault.count;
	uint64_t value;

	if (!is_selected(context, number))
		return;
	perform(number);
	value = page->result.value;
	say("modules: driver A ");
	say(what);
	if (value == (uint64_t)CALL_KILLED && last_fault.count == faults + 1)
		tell_fault();
	else if (value == GOT_AWAY)
		say("not cut off");
	else
		status = 1;
	if (data_is_right()) {
		say("; nothing has changed");
	} else {
		say("; what is not its own HAS CHANGED");
		status = 1;
	}
	say_line();
}

uint8_t demonstrate(void)
{
	tell_sums(perform_all(OP_NOTHING, OP_CHAIN_VMCALL), " repetitions", 1);
	attempt(OP_WRITE_KERNEL, "writes the kernel's data: ");
	attempt(OP_WRITE_DRIVER, "writes driver B's data: ");
	attempt(OP_JUMP_KERNEL, "jumps into the kernel's middle: ");
	attempt(OP_FORGE_ANSWER, "answers driver B, which has not asked: ");
	tell_sums(perform_all(OP_AFTER, OP_AFTER), " more without driver A", 0);
	return status;
}
