/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/expect.h"

#include <errno.h>
#include <stddef.h>

#include "views/expect_cr0.h"
#include "views/expect_io.h"
#include "views/expect_rules.h"
#include "views/expect_view.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define KVM_ENOSYS_RAX ((uint64_t)-1000) /* include/uapi/linux/kvm_para.h */
#define EFER_LONG_MODE 0x500

/* Repetitions of an operation that writes CR0. */
struct cr0_run {
	struct cr0_state state;
	uint64_t operand; /* what the routine's own register holds: the value to write */
};

static void write_repetition(const struct expect_environment *environment, const struct ss_operation *op,
			     struct cr0_run *run)
{
	const uint32_t set_by = op->insn == SS_INSN_CLTS ? SS_INSN_MOV : op->insn;
	struct cr0_state *state = &run->state;

	if (op->flags & SS_OP_FPU) {
		cr0_write_step(environment, set_by, state, run->operand ^ op->arg);
		cr0_fpu_step(SS_INSN_FXSAVE, state);
		cr0_write_step(environment, op->insn, state, run->operand);
		cr0_fpu_step(SS_INSN_FXSAVE, state);
		return;
	}
	if (op->insn != SS_INSN_CLTS)
		run->operand ^= op->arg;
	else if (op->flags & SS_OP_PAIR)
		cr0_write_step(environment, set_by, state, run->operand | op->arg);
	cr0_write_step(environment, op->insn, state, run->operand);
}

/* Adds what each two of the repetitions that are left come to. */
static void extrapolate(struct cr0_run *run, const struct cr0_run *before, uint32_t repetitions)
{
	const uint64_t times = repetitions / 2;

#define ADD(member) run->member += (unsigned)times * (run->member - before->member)
	ADD(state.vmx);
	ADD(state.svm);
	ADD(state.monitor);
	ADD(state.vmm);
	ADD(state.faults);
#undef ADD
}

/* After two repetitions everything is as after each two more. */
static struct cr0_run write_repetitions(const struct expect_environment *environment,
					const struct ss_operation *op, uint32_t repetitions)
{
	struct cr0_run run = {.state = cr0_start(environment, op)}, before = {0};
	const uint32_t performed = repetitions <= 4 ? repetitions : 4 - (repetitions & 1);

	run.operand = flags_read(&run.state.words);
	for (uint32_t i = 0; i < performed; i++) {
		if (i + 2 == performed)
			before = run;
		write_repetition(environment, op, &run);
	}
	extrapolate(&run, &before, repetitions - performed);
	return run;
}

/* The guest consults the words itself, and executes the instruction for flags that it owns: only those
 * can exit, as without any mask. */
static void expect_enlightened(const struct expect_environment *environment,
			       const struct ss_operation *op, struct expectation *expectation)
{
	static const struct ss_operation none = {0};
	struct cr0_state state = cr0_start(environment, op), unmasked = cr0_start(environment, &none);
	struct flags_change change = flags_write(&state.words, flags_read(&state.words) ^ op->arg);

	if (expectation->repetitions & 1)
		expect_value(expectation, flags_read(&state.words) ^ (op->arg & ~change.ask));
	else
		expect_value(expectation, flags_read(&state.words));
	cr0_write_step(environment, SS_INSN_MOV, &unmasked,
		       flags_read(&unmasked.words) ^ (change.value ^ state.words.value));
	expectation->exits[LEVEL_L0] =
		expect_l0(environment, expect_exactly(unmasked.vmx), expect_exactly(unmasked.svm));
}

/* `own` are those that end there. */
static struct expect_count l0_of_run(const struct expect_environment *environment,
				     const struct expectation *expectation, const struct cr0_state *state,
				     uint64_t own)
{
	const uint64_t total = own + l0_of_relay(environment, state->monitor, state->vmm, 0);

	return state->monitor ? expect_l0_of_relay(environment, expectation, total)
			      : expect_total(expectation, total);
}

static void expect_cr0_write(const struct expect_environment *environment,
			     const struct ss_operation *op, struct expectation *expectation)
{
	struct cr0_run run;

	if (op->flags & SS_OP_ENLIGHTENED) {
		expect_enlightened(environment, op, expectation);
		return;
	}
	run = write_repetitions(environment, op, expectation->repetitions);
	expect_value(expectation, flags_read(&run.state.words));
	if (run.state.faults)
		expectation->vector = run.state.vector;
	expectation->faults = run.state.faults;
	expectation->exits[LEVEL_MONITOR] = expect_total(expectation, run.state.monitor);
	expectation->exits[LEVEL_VMM] = expect_total(expectation, run.state.vmm);
	expectation->exits[LEVEL_L0] = expect_l0(environment, l0_of_run(environment, expectation, &run.state, run.state.vmx),
						 l0_of_run(environment, expectation, &run.state, run.state.svm));
}

static void expect_cr0_read(const struct expect_environment *environment,
			    const struct ss_operation *op, struct expectation *expectation)
{
	struct cr0_state state = cr0_start(environment, op);
	uint64_t value = cr0_read_step(environment, &state);

	expect_value(expectation, op->insn == SS_INSN_SMSW ? value & 0xffff : value);
	expect_relay(environment, op->flags & SS_OP_ENLIGHTENED ? 0 : state.monitor, 0, 0,
		     environment->backend == HOST_BACKEND_SVM ? state.svm : 0, expectation);
}

static void expect_fpu(const struct expect_environment *environment, const struct ss_operation *op,
		       struct expectation *expectation)
{
	struct cr0_state state = cr0_start(environment, op);

	if (cr0_fpu_step(op->insn, &state))
		expect_vector(expectation, state.vector);
	expect_value(expectation, 0);
	expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_NONE, EXPECT_NONE);
	/* KVM's interpreter has no WAIT; the VMM carries it out. */
	if (op->insn == SS_INSN_WAIT && environment->backend == HOST_BACKEND_PVM)
		expectation->exits[LEVEL_VMM] = EXPECT_ONE;
}

/* With the patching quirk off, the other vendor's instruction is #UD, and so are both where no
 * hardware executes them. Our hypercall number is unknown to KVM. */
static void expect_hypercall(const struct expect_environment *environment,
			     const struct ss_operation *op, struct expectation *expectation)
{
	bool nested = environment->engine != ENGINE_FLAT;
	bool bare = environment->backend == HOST_BACKEND_BARE;
	bool vmx = bare ? environment->engine == ENGINE_VMX : environment->backend == HOST_BACKEND_VMX;
	bool svm = bare ? environment->engine == ENGINE_SVM : environment->backend == HOST_BACKEND_SVM;
	bool native = (vmx && op->insn == SS_INSN_VMCALL) || (svm && op->insn == SS_INSN_VMMCALL);

	if (!native)
		expect_vector(expectation, VECTOR_UD);
	else
		expect_value(expectation, nested ? (uint64_t)-ENOSYS : KVM_ENOSYS_RAX);
	/* The relay of SVM gets every #UD, that of the other vendor's instruction too. */
	expect_relay(environment, nested && (native || environment->engine == ENGINE_SVM) ? 1 : 0, 0, 0, 1,
		     expectation);
	/* For a nested VMX guest KVM leaves the #UD to the VMM, as an instruction it cannot
	 * interpret. */
	if (environment->engine == ENGINE_VMX && !native && !bare)
		expectation->exits[LEVEL_VMM] = EXPECT_ONE;
}

/* What happens to everything else: a value if it is known, exits at L0 by backend, at the VMM. */
static const struct reference {
	uint32_t kind;
	struct expect_count vmx, svm, vmm;
	bool value_known;
	uint64_t value;
} references[] = {
	{SS_KIND_CPUID, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 0}, false, 0},
	{SS_KIND_RDTSC, {EXPECT_EXACTLY, 0}, {EXPECT_EXACTLY, 0}, {EXPECT_EXACTLY, 0}, true, 0},
	{SS_KIND_RDMSR, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 0}, true, EFER_LONG_MODE},
	{SS_KIND_INVLPG, {EXPECT_EXACTLY, 0}, {EXPECT_EXACTLY, 0}, {EXPECT_EXACTLY, 0}, true, 0},
	{SS_KIND_WBINVD, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 0}, true, 0},
	{SS_KIND_MMIO, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, true, SS_MMIO_RESET},
	{SS_KIND_HLT, {EXPECT_AT_LEAST, 1}, {EXPECT_AT_LEAST, 1}, {EXPECT_EXACTLY, 1}, true, 0},
	{SS_KIND_SERVICE, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, {EXPECT_EXACTLY, 1}, true, 0},
};

/* The relay executes CPUID itself, which is an exit of L1. */
static void expect_relay_cpuid(const struct expect_environment *environment, struct expectation *expectation)
{
	const uint64_t each = l0_of_relay(environment, 1, 0, 0) + 1;
	const struct expect_count l0 =
		expect_l0_of_relay(environment, expectation, each * expectation->repetitions);

	expectation->exits[LEVEL_MONITOR] = EXPECT_ONE;
	expectation->exits[LEVEL_L0] = expect_l0(environment, l0, l0);
}

static void expect_reference(const struct expect_environment *environment,
			     const struct ss_operation *op, struct expectation *expectation)
{
	expectation->exits[LEVEL_L0] = EXPECT_NO_RULE;
	expectation->exits[LEVEL_VMM] = EXPECT_NO_RULE;
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
		const struct reference *row = &references[i];

		if (row->kind != op->kind)
			continue;
		expectation->value_known = row->value_known;
		expectation->value = row->value;
		expectation->exits[LEVEL_L0] = expect_l0(environment, row->vmx, row->svm);
		expectation->exits[LEVEL_VMM] = row->vmm;
		/* CPUID of a nested guest goes to L1: always under VMX (Intel SDM vol. 3C, 26.1.2),
		 * and under SVM because the engine hides SVM. */
		if (op->kind == SS_KIND_CPUID && environment->engine != ENGINE_FLAT)
			expect_relay_cpuid(environment, expectation);
		/* EFER.SVME must be set, and is hidden by the VMM. */
		if (op->kind == SS_KIND_RDMSR && environment->engine == ENGINE_SVM)
			expectation->exits[LEVEL_VMM] = EXPECT_ONE;
		expect_passed(environment, expectation);
	}
}

static void expect_port(const struct expect_environment *environment,
			const struct ss_operation *op, struct expectation *expectation)
{
	expect_value(expectation, op->insn == SS_INSN_IN ? 0xff : 0);
	expectation->exits[LEVEL_L0] = expect_l0(environment, EXPECT_ONE, EXPECT_ONE);
	expectation->exits[LEVEL_VMM] = EXPECT_ONE;
	expect_passed(environment, expectation);
}

/* KVM intercepts #UD on both vendors; with two-level paging #GP and #PF are the guest's own. */
static void expect_fault(const struct expect_environment *environment,
			 const struct ss_operation *op, struct expectation *expectation)
{
	bool svm = environment->engine == ENGINE_SVM;
	bool gp = op->arg == VECTOR_GP && svm && environment->traits >> TRAIT_GP_INTERCEPTED & 1;

	expect_vector(expectation, (uint32_t)op->arg);
	/* The relay of SVM gets every #UD, since one may be a VMFUNC. */
	expect_relay(environment, svm && op->arg == VECTOR_UD ? 1 : 0, 0, 0, op->arg == VECTOR_UD || gp ? 1 : 0,
		     expectation);
}

/* What the model knows more of than a row of references. */
static void (*const models[SS_KIND_COUNT])(const struct expect_environment *environment,
					   const struct ss_operation *op,
					   struct expectation *expectation) = {
	[SS_KIND_CR0_WRITE] = expect_cr0_write,
	[SS_KIND_CR0_READ] = expect_cr0_read,
	[SS_KIND_CR4_WRITE] = expect_cr0_write,
	[SS_KIND_CR4_READ] = expect_cr0_read,
	[SS_KIND_FPU] = expect_fpu,
	[SS_KIND_VMFUNC] = expect_vmfunc,
	[SS_KIND_HYPERCALL] = expect_hypercall,
	[SS_KIND_HYPERCALL_SERVICE] = expect_hypercall_service,
	[SS_KIND_VIEW_ACCESS] = expect_view_access,
	[SS_KIND_MAP] = expect_map,
	[SS_KIND_PORT] = expect_port,
	[SS_KIND_FAULT] = expect_fault,
	[SS_KIND_INTERRUPT] = expect_interrupt,
	[SS_KIND_PIN] = expect_pin,
	[SS_KIND_DISK] = expect_disk,
};

void expect_operation(const struct expect_environment *environment, const struct ss_operation *op,
		      uint32_t count, struct expectation *expectation)
{
	*expectation = (struct expectation){
		.repetitions = count,
		.vector = SS_NO_VECTOR,
		.exits = {[LEVEL_L0] = EXPECT_NONE, [LEVEL_MONITOR] = EXPECT_NONE,
			  [LEVEL_VMM] = EXPECT_NONE},
	};
	if (op->kind == SS_KIND_NOTHING)
		expect_value(expectation, 0);
	else if (op->kind < SS_KIND_COUNT && models[op->kind])
		models[op->kind](environment, op, expectation);
	else
		expect_reference(environment, op, expectation);
}

bool expect_agrees(const struct expect_count *expected, uint64_t observed, uint64_t repetitions)
{
	switch (expected->how) {
	case EXPECT_EXACTLY:
		return observed == expected->count * repetitions;
	case EXPECT_AT_LEAST:
		return observed >= expected->count * repetitions;
	case EXPECT_TOTAL:
		return observed == expected->count;
	default:
		return true;
	}
}
