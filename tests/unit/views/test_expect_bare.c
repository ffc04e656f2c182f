/* SPDX-License-Identifier: GPL-2.0-only */
/* The model where nothing is below the monitor: outcomes are those of the same engine with KVM below it, there is no L0,
 * and whatever somebody else would have handed to the VMM comes to the relay first, which passes it on. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "default_policy.h"
#include "expect.h"

#define WINDOW UINT64_C(0xe0000)
#define FRAMES UINT64_C(0xe4000)
#define KERNEL UINT64_C(0x100000)
#define COUNT 7
#define UD 6
#define GP 13
#define VECTOR_PF 14
#define VECTOR_VE 20
#define VECTOR 0x50
#define MOV SS_INSN_MOV
#define TS SS_CR0_TS

static struct view_policy policy;
static uint64_t list[EPTP_LIST_ENTRIES];
static struct expect_environment environment;

static int setup(void **state)
{
	const struct default_policy_layout layout = {
		gpa_at(WINDOW), gpa_at(FRAMES), {gpa_at(KERNEL), 2 * GPA_PAGE_SIZE}, true};
	const struct service_table services = {.enabled = 1};

	(void)state;
	policy = (struct view_policy){0};
	if (default_policy(&policy, &layout, DEFAULT_POLICY_VIEWS) != 0)
		return -1;
	for (size_t i = 0; i < policy.view_count; i++)
		list[i] = (i + 1) << 12 | 0x1e;
	environment = (struct expect_environment){
		.embodiment = SS_EMBODIMENT_TWO_WORDS,
		.policy = &policy,
		.window = gpa_at(WINDOW),
		.kernel = gpa_at(KERNEL),
		.inject = true,
		.alone = true,
		.vmfunc = {.list = list, .eptp = list[0], .caps = {.maxphyaddr = 36}},
	};
	service_configure(&environment.vmfunc, &services);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&policy);
	return 0;
}

static const struct {
	enum engine_id engine;
	enum host_backend below;
} rows[] = {{ENGINE_VMX, HOST_BACKEND_VMX}, {ENGINE_SVM, HOST_BACKEND_SVM}};

static struct expectation predict(enum engine_id engine, enum host_backend backend, const struct ss_operation *op)
{
	struct expectation expectation;

	environment.engine = engine;
	environment.backend = backend;
	memset(&expectation, 0xee, sizeof(expectation));
	expect_operation(&environment, op, COUNT, &expectation);
	return expectation;
}

static void expect_exits(const struct expectation *got, enum level level, unsigned count)
{
	assert_int_equal(got->exits[level].how, EXPECT_EXACTLY);
	assert_int_equal(got->exits[level].count, count);
}

static const struct ss_operation operations[] = {
	{.kind = SS_KIND_NOTHING},
	{.kind = SS_KIND_CR0_WRITE, .insn = MOV, .arg = TS},
	{.kind = SS_KIND_CR0_WRITE, .insn = MOV, .arg = TS, .masked = TS, .kept = TS},
	{.kind = SS_KIND_CR0_WRITE, .insn = MOV, .arg = TS, .masked = TS},
	{.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_CLTS, .masked = TS, .shadow = TS},
	{.kind = SS_KIND_CR4_WRITE, .insn = MOV, .arg = 4, .masked = 4, .kept = 4},
	{.kind = SS_KIND_CR0_READ, .insn = MOV, .masked = TS, .kept = TS},
	{.kind = SS_KIND_FPU, .insn = SS_INSN_WAIT},
	{.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC, .arg = 1},
	{.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC, .arg = 600},
	{.kind = SS_KIND_HYPERCALL, .insn = SS_INSN_VMCALL},
	{.kind = SS_KIND_HYPERCALL, .insn = SS_INSN_VMMCALL},
	{.kind = SS_KIND_CPUID},
	{.kind = SS_KIND_RDTSC},
	{.kind = SS_KIND_RDMSR},
	{.kind = SS_KIND_INVLPG},
	{.kind = SS_KIND_WBINVD},
	{.kind = SS_KIND_HLT},
	{.kind = SS_KIND_SERVICE},
	{.kind = SS_KIND_PORT, .insn = SS_INSN_IN},
	{.kind = SS_KIND_PORT, .insn = SS_INSN_OUT},
	{.kind = SS_KIND_FAULT, .arg = UD},
	{.kind = SS_KIND_FAULT, .arg = GP},
	{.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_OUT, .arg = SS_INTERRUPT_DELIVER << 8 | VECTOR},
	{.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_OUT, .arg = SS_INTERRUPT_HOLD << 8 | VECTOR},
	{.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_VMFUNC, .arg = SS_INTERRUPT_DELIVER << 8 | VECTOR},
	{.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_VMFUNC, .arg = SS_INTERRUPT_DELIVER << 8 | VECTOR, .flags = SS_OP_PAIR},
};

static void outcomes_are_those_of_the_engine(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
			const struct expectation bare = predict(rows[r].engine, HOST_BACKEND_BARE, &operations[i]);
			const struct expectation kvm = predict(rows[r].engine, rows[r].below, &operations[i]);

			assert_int_equal(bare.vector, kvm.vector);
			assert_int_equal(bare.faults, kvm.faults);
			assert_int_equal(bare.error_code, kvm.error_code);
			assert_int_equal(bare.value_known, kvm.value_known);
			if (kvm.value_known)
				assert_int_equal(bare.value, kvm.value);
			assert_int_equal(bare.view_known, kvm.view_known);
			if (kvm.view_known)
				assert_int_equal(bare.view, kvm.view);
		}
}

/* What is passed on has come to the relay; nobody is there who could have taken it before. */
static void nothing_comes_to_the_vmm_past_the_relay(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
			const struct expectation got = predict(rows[r].engine, HOST_BACKEND_BARE, &operations[i]);

			assert_int_equal(got.exits[LEVEL_MONITOR].how, got.exits[LEVEL_VMM].how);
			assert_true(got.exits[LEVEL_MONITOR].count >= got.exits[LEVEL_VMM].count);
		}
}

/* Each of the vendors has its own instruction; the other's is #UD, which VMX leaves to the guest, and SVM's relay gets
 * because a VMFUNC is one. */
static void the_hypercall_is_that_of_the_processor(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		for (int amd = 0; amd < 2; amd++) {
			const struct ss_operation op = {.kind = SS_KIND_HYPERCALL,
							.insn = amd ? SS_INSN_VMMCALL : SS_INSN_VMCALL};
			const bool native = amd == (rows[r].engine == ENGINE_SVM);
			const struct expectation got = predict(rows[r].engine, HOST_BACKEND_BARE, &op);

			assert_int_equal(got.faults, native ? 0 : COUNT);
			assert_int_equal(got.vector, native ? SS_NO_VECTOR : UD);
			assert_int_equal(got.value_known, native);
			expect_exits(&got, LEVEL_MONITOR, native || rows[r].engine == ENGINE_SVM);
			expect_exits(&got, LEVEL_VMM, 0);
		}
}

/* The same exit at both levels: ports, HLT and requests. */
static void what_kvm_hands_to_the_vmm_the_relay_passes_on(void **state)
{
	static const struct ss_operation passed[] = {
		{.kind = SS_KIND_PORT, .insn = SS_INSN_IN},
		{.kind = SS_KIND_PORT, .insn = SS_INSN_OUT},
		{.kind = SS_KIND_SERVICE},
		{.kind = SS_KIND_HLT},
		{.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_OUT, .arg = SS_INTERRUPT_HOLD << 8 | VECTOR},
	};

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		for (size_t i = 0; i < ARRAY_SIZE(passed); i++) {
			const struct expectation got = predict(rows[r].engine, HOST_BACKEND_BARE, &passed[i]);
			const struct expectation kvm = predict(rows[r].engine, rows[r].below, &passed[i]);

			expect_exits(&got, LEVEL_VMM, 1);
			expect_exits(&got, LEVEL_MONITOR, 1);
			expect_exits(&kvm, LEVEL_MONITOR, 0);
		}
}

/* An instruction that the relay carries out itself is no exit of the VMM. EFER has a flag that SVM's guest must not see. */
static void what_the_relay_does_by_itself_it_does_not_pass_on(void **state)
{
	static const struct ss_operation cpuid = {.kind = SS_KIND_CPUID}, rdmsr = {.kind = SS_KIND_RDMSR};

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		const bool svm = rows[r].engine == ENGINE_SVM;
		struct expectation got = predict(rows[r].engine, HOST_BACKEND_BARE, &cpuid);

		expect_exits(&got, LEVEL_MONITOR, 1);
		expect_exits(&got, LEVEL_VMM, 0);
		got = predict(rows[r].engine, HOST_BACKEND_BARE, &rdmsr);
		expect_exits(&got, LEVEL_MONITOR, svm);
		expect_exits(&got, LEVEL_VMM, svm);
	}
}

/* Held and let go by VMFUNC, and two ports between: the first is the relay's own, the other is the VMM's, and with its
 * answer comes the interrupt. */
static void an_interrupt_that_is_let_go_comes_with_the_answer(void **state)
{
	const struct ss_operation op = {.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_VMFUNC,
					.arg = SS_INTERRUPT_DELIVER << 8 | VECTOR};

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		const struct expectation got = predict(rows[r].engine, HOST_BACKEND_BARE, &op);

		assert_int_equal(got.value, COUNT);
		expect_exits(&got, LEVEL_MONITOR, 4);
		expect_exits(&got, LEVEL_VMM, 3);
	}
}

#define ACCESS(insn_, view, page, setup_)                                                                                 \
	{.kind = SS_KIND_VIEW_ACCESS, .insn = SS_INSN_##insn_, .arg = (view) << 8 | SS_##page, .setup = SS_SETUP_##setup_}
/* As the catalogue has them. */
#define WRITE_SHARED(setup) ACCESS(STORE, 1, WINDOW_SHARED, setup)
#define READ_PRIVATE(setup) ACCESS(LOAD, 2, WINDOW_PRIVATE, setup)
#define CALL_SHARED(setup) ACCESS(CALL, 1, WINDOW_SHARED, setup)
#define WRITE_KERNEL(setup) ACCESS(STORE, 1, PAGE_KERNEL, setup)
#define READ_SHARED(setup) ACCESS(LOAD, 1, WINDOW_SHARED, setup)

static struct expectation predict_vmx(const struct ss_operation *op, bool inject)
{
	environment.inject = inject;
	return predict(ENGINE_VMX, HOST_BACKEND_BARE, op);
}

/* Nobody but the guest has anything to do with it, and how violations that exit are answered makes no difference. */
static void a_violation_can_be_ve_without_an_exit(void **state)
{
	static const struct {
		struct ss_operation op;
		bool value_known;
		uint64_t value;
	} violations[] = {
		/* The page keeps what it has, nothing was called, and nothing was read. */
		{WRITE_SHARED(VE), true, SS_WINDOW_SHARED_VALUE},
		{CALL_SHARED(VE), true, 0},
		{READ_PRIVATE(VE), false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(violations); i++)
		for (int inject = 0; inject < 2; inject++) {
			const struct expectation got = predict_vmx(&violations[i].op, inject);

			assert_int_equal(got.vector, VECTOR_VE);
			assert_int_equal(got.error_code, 0);
			assert_int_equal(got.faults, COUNT);
			assert_int_equal(got.value_known, violations[i].value_known);
			if (violations[i].value_known)
				assert_int_equal(got.value, violations[i].value);
			expect_exits(&got, LEVEL_MONITOR, 0);
			expect_exits(&got, LEVEL_VMM, 0);
			assert_int_equal(got.exits[LEVEL_L0].how, EXPECT_ANY);
		}
}

static void expect_exit_of_a_violation(const struct expectation *got, bool faults, uint64_t error_code)
{
	assert_int_equal(got->vector, faults ? VECTOR_PF : SS_NO_VECTOR);
	assert_int_equal(got->faults, faults ? COUNT : 0);
	if (faults)
		assert_int_equal(got->error_code, error_code);
	expect_exits(got, LEVEL_MONITOR, 1);
	expect_exits(got, LEVEL_VMM, 1);
}

/* Without the setup, although the view has #VE there; and with it, where the view has none. */
static void any_other_violation_exits(void **state)
{
	static const struct {
		struct ss_operation op;
		uint64_t error_code;
	} violations[] = {
		{WRITE_SHARED(NONE), 3}, {READ_PRIVATE(NONE), 1}, {CALL_SHARED(NONE), 0x11},
		{WRITE_KERNEL(NONE), 3}, {WRITE_KERNEL(VE), 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(violations); i++)
		for (int inject = 0; inject < 2; inject++) {
			const struct expectation got = predict_vmx(&violations[i].op, inject);

			expect_exit_of_a_violation(&got, inject || violations[i].op.insn == SS_INSN_CALL,
						   violations[i].error_code);
		}
}

static void what_is_permitted_is_no_ve(void **state)
{
	static const struct ss_operation reads[] = {READ_SHARED(VE), READ_SHARED(NONE)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		for (int inject = 0; inject < 2; inject++) {
			const struct expectation got = predict_vmx(&reads[i], inject);

			assert_int_equal(got.vector, SS_NO_VECTOR);
			assert_int_equal(got.faults, 0);
			assert_true(got.value_known);
			assert_int_equal(got.value, SS_WINDOW_SHARED_VALUE);
			expect_exits(&got, LEVEL_MONITOR, 0);
			expect_exits(&got, LEVEL_VMM, 0);
		}
}

/* A counter that is not there agrees with whatever is seen. */
static void of_an_l0_nothing_is_said(void **state)
{
	static const struct ss_operation operations_of_l0[] = {
		{.kind = SS_KIND_PORT, .insn = SS_INSN_IN}, {.kind = SS_KIND_CPUID}, {.kind = SS_KIND_WBINVD},
		{.kind = SS_KIND_HYPERCALL, .insn = SS_INSN_VMCALL}, {.kind = SS_KIND_FAULT, .arg = UD},
		{.kind = SS_KIND_CR0_WRITE, .insn = MOV, .arg = TS, .masked = TS},
	};

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		for (size_t i = 0; i < ARRAY_SIZE(operations_of_l0); i++)
			assert_int_equal(predict(rows[r].engine, HOST_BACKEND_BARE, &operations_of_l0[i]).exits[LEVEL_L0].how,
					 EXPECT_ANY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(outcomes_are_those_of_the_engine),
		TEST(nothing_comes_to_the_vmm_past_the_relay),
		TEST(the_hypercall_is_that_of_the_processor),
		TEST(what_kvm_hands_to_the_vmm_the_relay_passes_on),
		TEST(what_the_relay_does_by_itself_it_does_not_pass_on),
		TEST(an_interrupt_that_is_let_go_comes_with_the_answer),
		TEST(a_violation_can_be_ve_without_an_exit),
		TEST(any_other_violation_exits),
		TEST(what_is_permitted_is_no_ve),
		TEST(of_an_l0_nothing_is_said),
	};

	return cmocka_run_group_tests_name("expect_bare", tests, NULL, NULL);
}
