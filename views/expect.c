/* SPDX-License-Identifier: GPL-2.0-only */
#include "expect.h"

#include <stddef.h>

#define VECTOR_UD 6
#define VECTOR_NM 7
#define KVM_ENOSYS_RAX ((uint64_t)-1000) /* include/uapi/linux/kvm_para.h */
#define EFER_LONG_MODE 0x500

/* LMSW loads bits 3:1 and can set, but not clear, bit 0 (Intel SDM vol. 2A, LMSW). */
#define LMSW_LOADED (SS_CR0_MP | SS_CR0_EM | SS_CR0_TS)

const char *const engine_keys[ENGINE_COUNT] = {
	"invalid",
#define X(name, key, meaning) key,
	ENGINES(X)
#undef X
};

const char *const engine_meanings[ENGINE_COUNT] = {
	"",
#define X(name, key, meaning) meaning,
	ENGINES(X)
#undef X
};

const char *const host_backend_keys[HOST_BACKEND_COUNT] = {
#define X(name, key, module) key,
	HOST_BACKENDS(X)
#undef X
};

const char *const host_backend_modules[HOST_BACKEND_COUNT] = {
#define X(name, key, module) module,
	HOST_BACKENDS(X)
#undef X
};

const char *const level_keys[LEVEL_COUNT] = {
#define X(name, key, meaning) key,
	LEVELS(X)
#undef X
};

const char *const level_meanings[LEVEL_COUNT] = {
#define X(name, key, meaning) meaning,
	LEVELS(X)
#undef X
};

const char *const placement_keys[] = {
#define X(name, key) key,
	PLACEMENTS(X)
#undef X
};

static const struct expect_count none = {EXPECT_EXACTLY, 0};
static const struct expect_count one = {EXPECT_EXACTLY, 1};
static const struct expect_count some = {EXPECT_AT_LEAST, 1};
static const struct expect_count any = {EXPECT_ANY, 0};

static struct expect_count exactly(unsigned count)
{
	return (struct expect_count){EXPECT_EXACTLY, count};
}

static void set_value(struct expectation *expectation, uint64_t value)
{
	expectation->value_known = true;
	expectation->value = value;
}

/*
 * Exits at L0 of an instruction that hardware with the given backend takes `vmx` or `svm` exits for.
 * The pvm backend interprets every instruction at CPL 0, so somebody always steps in.
 */
static struct expect_count l0(const struct expect_environment *environment,
			      struct expect_count vmx, struct expect_count svm)
{
	switch (environment->backend) {
	case HOST_BACKEND_VMX:
		return vmx;
	case HOST_BACKEND_SVM:
		return svm;
	case HOST_BACKEND_PVM:
		return some;
	default:
		return any;
	}
}

static uint64_t invert_if_odd(uint64_t value, uint64_t flags, uint32_t count)
{
	return count & 1 ? value ^ flags : value;
}

static void expect_cr0_write(const struct expect_environment *environment,
			     const struct ss_operation *op, uint32_t count,
			     struct expectation *expectation)
{
	uint64_t start = SS_CR0_BASE | op->cr0, value = start;
	/* KVM lets a VMX guest own TS (and WP); SVM's selective intercept ignores TS and MP, but
	 * takes every LMSW (arch/x86/kvm/vmx/vmx.h, AMD APM vol. 2, 15.8.1). */
	struct expect_count vmx = op->arg & SS_CR0_MP ? one : none, svm = none;

	switch (op->insn) {
	case SS_INSN_CLTS:
		value = start & ~(uint64_t)SS_CR0_TS;
		break;
	case SS_INSN_LMSW:
		value = invert_if_odd(start, op->arg & LMSW_LOADED, count);
		svm = one;
		break;
	default:
		value = invert_if_odd(start, op->arg, count);
	}
	set_value(expectation, value);
	expectation->exits[LEVEL_L0] = l0(environment, vmx, svm);
}

static void expect_cr0_read(const struct expect_environment *environment,
			    const struct ss_operation *op, struct expectation *expectation)
{
	uint64_t value = SS_CR0_BASE | op->cr0;

	set_value(expectation, op->insn == SS_INSN_SMSW ? value & 0xffff : value);
	expectation->exits[LEVEL_L0] = l0(environment, none, none);
}

/* Intel SDM vol. 3A, table 2-2: an FPU instruction obeys EM and TS, WAIT obeys TS if MP is set. */
static void expect_fpu(const struct expect_environment *environment, const struct ss_operation *op,
		       struct expectation *expectation)
{
	uint32_t both = SS_CR0_TS | SS_CR0_MP;

	if (op->insn == SS_INSN_WAIT ? (op->cr0 & both) == both
				     : (op->cr0 & (SS_CR0_TS | SS_CR0_EM)) != 0)
		expectation->vector = VECTOR_NM;
	set_value(expectation, 0);
	expectation->exits[LEVEL_L0] = l0(environment, none, none);
	/* KVM's interpreter has no WAIT; the VMM carries it out. */
	if (op->insn == SS_INSN_WAIT && environment->backend == HOST_BACKEND_PVM)
		expectation->exits[LEVEL_VMM] = one;
}

static uint32_t vmfunc_last_index(const struct ss_operation *op, uint32_t count)
{
	uint32_t index = (uint32_t)op->arg;

	if (op->flags & SS_OP_PAIR)
		return 0;
	if (op->flags & SS_OP_ROTATE)
		return count & 1 ? index : index ^ 3; /* views 1 and 2 in turn */
	return index;
}

static void expect_vmfunc(const struct expect_environment *environment,
			  const struct ss_operation *op, uint32_t count,
			  struct expectation *expectation)
{
	uint32_t leaf = (uint32_t)(op->arg >> 32), index = vmfunc_last_index(op, count);
	struct vmfunc_result result = vmfunc_decide(&environment->vmfunc, leaf, index);
	bool interpreted = environment->backend == HOST_BACKEND_PVM && !(op->flags & SS_OP_CPL3);

	if (result.outcome == VMFUNC_UD) {
		expectation->vector = VECTOR_UD;
		/* An interpreter hands every VMFUNC to the VMM, also one that can only be #UD. */
		expectation->exits[LEVEL_VMM] = interpreted ? one : none;
	} else {
		set_value(expectation, result.outcome == VMFUNC_EXIT
					       ? (uint64_t)(int64_t)vmfunc_refusal(result.reason)
					       : SS_VIEW_TAG | index);
		expectation->exits[LEVEL_VMM] = exactly(op->flags & SS_OP_PAIR ? 2 : 1);
	}
	expectation->exits[LEVEL_L0] = l0(environment, some, some);
	if (environment->backend == HOST_BACKEND_PVM && !interpreted)
		expectation->exits[LEVEL_L0] = any;
}

/* With the patching quirk off, the other vendor's instruction is #UD, and so are both where no
 * hardware executes them. Our hypercall number is unknown to KVM. */
static void expect_hypercall(const struct expect_environment *environment,
			     const struct ss_operation *op, struct expectation *expectation)
{
	bool native = (environment->backend == HOST_BACKEND_VMX && op->insn == SS_INSN_VMCALL) ||
		      (environment->backend == HOST_BACKEND_SVM && op->insn == SS_INSN_VMMCALL);

	if (native)
		set_value(expectation, KVM_ENOSYS_RAX);
	else
		expectation->vector = VECTOR_UD;
	expectation->exits[LEVEL_L0] = l0(environment, one, one);
}

static void expect_view_access(const struct expect_environment *environment,
			       const struct ss_operation *op, struct expectation *expectation)
{
	static const uint64_t contents[SS_WINDOW_PAGES] = {
		[SS_WINDOW_SHARED] = SS_WINDOW_SHARED_VALUE,
		[SS_WINDOW_PRIVATE] = SS_WINDOW_PRIVATE_VALUE,
	};
	bool store = op->insn == SS_INSN_STORE;
	uint32_t page = op->arg & 0xff;
	struct view_effect effect;

	expectation->exits[LEVEL_L0] = any;
	if (page >= SS_WINDOW_PAGES)
		return;
	effect = policy_effect(environment->policy, (uint32_t)(op->arg >> 8),
			       gpa_add(environment->window, page * GPA_PAGE_SIZE));
	if (effect.rights & (store ? VIEW_WRITE : VIEW_READ)) {
		if (!store)
			set_value(expectation, contents[page]);
		expectation->exits[LEVEL_L0] = l0(environment, none, none);
		return;
	}
	/* A refused read gives all ones, a refused write changes nothing. */
	set_value(expectation, store ? contents[page] : UINT64_MAX);
	expectation->exits[LEVEL_L0] = l0(environment, some, some);
	expectation->exits[LEVEL_VMM] = one;
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

static void expect_reference(const struct expect_environment *environment,
			     const struct ss_operation *op, struct expectation *expectation)
{
	expectation->exits[LEVEL_L0] = any;
	expectation->exits[LEVEL_VMM] = any;
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
		const struct reference *row = &references[i];

		if (row->kind != op->kind)
			continue;
		expectation->value_known = row->value_known;
		expectation->value = row->value;
		expectation->exits[LEVEL_L0] = l0(environment, row->vmx, row->svm);
		expectation->exits[LEVEL_VMM] = row->vmm;
	}
}

static void expect_port(const struct expect_environment *environment,
			const struct ss_operation *op, struct expectation *expectation)
{
	set_value(expectation, op->insn == SS_INSN_IN ? 0xff : 0);
	expectation->exits[LEVEL_L0] = l0(environment, one, one);
	expectation->exits[LEVEL_VMM] = one;
}

/* KVM intercepts #UD on both vendors; with two-level paging #GP and #PF are the guest's own. */
static void expect_fault(const struct expect_environment *environment,
			 const struct ss_operation *op, struct expectation *expectation)
{
	struct expect_count hardware = op->arg == VECTOR_UD ? one : none;

	expectation->vector = (uint32_t)op->arg;
	expectation->exits[LEVEL_L0] = l0(environment, hardware, hardware);
}

void expect_operation(const struct expect_environment *environment, const struct ss_operation *op,
		      uint32_t count, struct expectation *expectation)
{
	*expectation = (struct expectation){
		.vector = SS_NO_VECTOR,
		.exits = {[LEVEL_L0] = none, [LEVEL_MONITOR] = none, [LEVEL_VMM] = none},
	};
	switch (op->kind) {
	case SS_KIND_NOTHING:
		set_value(expectation, 0);
		break;
	case SS_KIND_CR0_WRITE:
		expect_cr0_write(environment, op, count, expectation);
		break;
	case SS_KIND_CR0_READ:
		expect_cr0_read(environment, op, expectation);
		break;
	case SS_KIND_FPU:
		expect_fpu(environment, op, expectation);
		break;
	case SS_KIND_VMFUNC:
		expect_vmfunc(environment, op, count, expectation);
		break;
	case SS_KIND_HYPERCALL:
		expect_hypercall(environment, op, expectation);
		break;
	case SS_KIND_VIEW_ACCESS:
		expect_view_access(environment, op, expectation);
		break;
	case SS_KIND_PORT:
		expect_port(environment, op, expectation);
		break;
	case SS_KIND_FAULT:
		expect_fault(environment, op, expectation);
		break;
	default:
		expect_reference(environment, op, expectation);
	}
}

bool expect_agrees(const struct expect_count *expected, uint64_t observed, uint64_t repetitions)
{
	switch (expected->how) {
	case EXPECT_EXACTLY:
		return observed == expected->count * repetitions;
	case EXPECT_AT_LEAST:
		return observed >= expected->count * repetitions;
	default:
		return true;
	}
}
