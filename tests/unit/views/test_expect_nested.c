/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model of what only a monitor makes possible, or a guest that knows of its masks: the
 * rules, written down here a second time. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "expect.h"
#include "service.h"

#define MP 0x2u
#define EM 0x4u
#define TS 0x8u
#define UD 6
#define VIEWS 6

static uint64_t list[EPTP_LIST_ENTRIES];

static enum flags_on_ask on_ask;
static uint32_t traits = 1u << TRAIT_VMCS_SHADOWING;

static struct expectation predict(enum engine_id engine, const struct service_table *services,
				  const struct ss_operation *op, uint32_t count)
{
	static const struct view_policy policy;
	struct expect_environment environment = {
		.embodiment = SS_EMBODIMENT_TWO_WORDS,
		.on_ask = on_ask,
		.traits = traits,
		.engine = engine,
		.backend = engine == ENGINE_SVM ? HOST_BACKEND_SVM : HOST_BACKEND_VMX,
		.policy = &policy,
		.vmfunc = {.list = list, .caps = {.maxphyaddr = 40}},
	};
	struct expectation expectation;

	for (size_t i = 0; i < VIEWS; i++)
		list[i] = (i + 1) << 12 | 0x1e;
	environment.vmfunc.eptp = list[0];
	service_configure(&environment.vmfunc, services);
	memset(&expectation, 0xee, sizeof(expectation));
	expect_operation(&environment, op, count, &expectation);
	return expectation;
}

static void is(const struct expectation *expectation, enum level level, enum expect_how how,
	       unsigned count)
{
	assert_int_equal(expectation->exits[level].how, how);
	if (how != EXPECT_ANY)
		assert_int_equal(expectation->exits[level].count, count);
}

static const struct service_table view_only = {.enabled = 1};

/* Flag by flag: inverted in every repetition, from the shadow if it is masked. */
static uint64_t written(const struct ss_operation *op, uint32_t count)
{
	uint64_t value = SS_CR0_BASE;

	for (uint32_t flag = MP; flag <= TS; flag <<= 1) {
		bool set = op->masked & flag ? op->shadow & flag : op->cr0 & flag;

		for (uint32_t i = 0; i < count && op->arg & flag; i++)
			set = !set;
		value |= set ? flag : 0;
	}
	return value;
}

/* The guest does by itself what its words allow; the instruction, and with it an exit at L0, remains for
 * flags that it owns and KVM does not let it have: all but TS on Intel, all but TS and MP on AMD. */
static void enlightened_writes(void **state)
{
	(void)state;
	for (uint32_t masked = 0; masked < 16; masked += 2)
		for (uint32_t flags = 0; flags < 16; flags += 2)
			for (uint32_t start = 0; start < 16; start += 2)
				for (uint32_t count = 1; count <= 4; count++) {
					const struct ss_operation op = {
						.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_MOV,
						.flags = SS_OP_ENLIGHTENED, .arg = flags, .cr0 = start,
						.masked = masked, .kept = masked,
						.shadow = ~start & masked};
					struct expectation got = predict(ENGINE_VMX, &view_only, &op, count);

					assert_int_equal(got.value, written(&op, count));
					is(&got, LEVEL_L0, EXPECT_EXACTLY, (flags & ~masked & (MP | EM)) != 0);
					is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
					is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
					got = predict(ENGINE_SVM, &view_only, &op, count);
					assert_int_equal(got.value, written(&op, count));
					is(&got, LEVEL_L0, EXPECT_EXACTLY, (flags & ~masked & EM) != 0);
					is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
					is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
				}
}

/* SVM has no read shadow: only a guest that looks into its words reads masked flags without the relay. */
static void enlightened_reads(void **state)
{
	(void)state;
	for (uint32_t masked = 0; masked < 16; masked += 2)
		for (int enlightened = 0; enlightened < 2; enlightened++)
			for (int nested = ENGINE_VMX; nested < ENGINE_COUNT; nested++) {
				const struct ss_operation op = {
					.kind = SS_KIND_CR0_READ, .insn = SS_INSN_MOV, .cr0 = TS,
					.flags = enlightened ? SS_OP_ENLIGHTENED : 0, .masked = masked,
					.kept = masked, .shadow = MP & masked};
				const struct expectation got =
					predict((enum engine_id)nested, &view_only, &op, 1);

				assert_int_equal(got.value, written(&op, 0));
				is(&got, LEVEL_MONITOR, EXPECT_EXACTLY,
				   nested == ENGINE_SVM && masked && !enlightened);
			}
}

/* KVM would carry out an LMSW of an owned MP or EM itself, and lose what a mask keeps: so on Intel they are the
 * relay's as soon as a flag that LMSW loads is masked. TS is the guest's own then. */
static void owned_flags_beside_a_mask(void **state)
{
	(void)state;
	for (uint32_t masked = 0; masked < 16; masked += 2)
		for (uint32_t flag = MP; flag <= TS; flag <<= 1)
			for (int lmsw = 0; lmsw < 2; lmsw++) {
				const struct ss_operation op = {
					.kind = SS_KIND_CR0_WRITE, .arg = flag, .masked = masked,
					.insn = lmsw ? SS_INSN_LMSW : SS_INSN_MOV, .kept = masked};
				const struct expectation got = predict(ENGINE_VMX, &view_only, &op, 1);
				const bool taken = masked & flag || (masked && flag != TS);

				is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, taken);
				is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
				is(&got, LEVEL_L0, EXPECT_EXACTLY, taken ? 2 : flag != TS);
				assert_int_equal(got.value, SS_CR0_BASE | flag);
			}
}

static struct ss_operation vmfunc(uint32_t number, uint32_t index, uint32_t flags)
{
	return (struct ss_operation){.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC, .flags = flags,
				     .arg = (uint64_t)number << 32 | index};
}

/* Switches are KVM's own business on Intel, and the relay's on AMD; there and back is two of them. */
static void switches(void **state)
{
	static const uint32_t shapes[] = {0, SS_OP_ROTATE, SS_OP_CYCLE, SS_OP_PAIR};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++)
		for (uint32_t count = 1; count < 2 * VIEWS; count++) {
			const struct ss_operation op = vmfunc(0, shapes[s] == SS_OP_CYCLE ? VIEWS : 1, shapes[s]);
			const unsigned steps = shapes[s] == SS_OP_PAIR ? 2 : 1;
			const uint32_t last[] = {1, count % 2 ? 1 : 2, count % VIEWS, 0};
			struct expectation got = predict(ENGINE_VMX, &view_only, &op, count);

			assert_true(got.view_known);
			assert_int_equal(got.view, last[s]);
			assert_int_equal(got.value, SS_VIEW_TAG | last[s]);
			is(&got, LEVEL_L0, EXPECT_EXACTLY, steps);
			is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
			is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			got = predict(ENGINE_SVM, &view_only, &op, count);
			assert_int_equal(got.view, last[s]);
			is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, steps);
			is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
		}
}

/* A service of the VMM goes by way of the relay, and so does what is to become an exception; with VM
 * functions off, or for numbers that no service has, the processor needs nobody. */
static void other_services(void **state)
{
	static const struct service_table both = {.enabled = 3}, none = {.enabled = 0};
	static const struct service_table at_home = {.enabled = 3, .home = 2};
	const struct ss_operation performed = vmfunc(1, 0, 0), undefined = vmfunc(2, 0, 0),
				  impossible = vmfunc(64, 0, 0);

	(void)state;
	for (int nested = ENGINE_VMX; nested < ENGINE_COUNT; nested++) {
		const enum engine_id engine = (enum engine_id)nested;
		struct expectation got = predict(engine, &both, &performed, 1);

		assert_int_equal(got.vector, SS_NO_VECTOR);
		assert_false(got.view_known);
		/* There and back, the relay's port, and on Intel its look at the EPT pointer. */
		is(&got, LEVEL_L0, EXPECT_EXACTLY, engine == ENGINE_VMX ? 4 : 3);
		is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 1);
		is(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
		got = predict(engine, &at_home, &performed, 1);
		is(&got, LEVEL_L0, EXPECT_EXACTLY, engine == ENGINE_VMX ? 5 : 3);
		got = predict(engine, &both, &undefined, 1);
		assert_int_equal(got.vector, UD);
		is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 1);
		is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
		is(&got, LEVEL_L0, EXPECT_EXACTLY, 2);
		got = predict(engine, &both, &impossible, 1);
		assert_int_equal(got.vector, UD);
		is(&got, LEVEL_L0, EXPECT_EXACTLY, engine == ENGINE_SVM ? 2 : 1);
		is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, engine == ENGINE_SVM);
		is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
		got = predict(engine, &none, &performed, 1);
		assert_int_equal(got.vector, UD);
		is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
		is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
	}
}

static void hypercalls(void **state)
{
	(void)state;
	for (int nested = ENGINE_VMX; nested < ENGINE_COUNT; nested++)
		for (uint32_t count = 1; count < 5; count++) {
			struct ss_operation op = {.kind = SS_KIND_HYPERCALL_SERVICE,
						  .arg = SS_HYPERCALL_VIEW};
			struct expectation got =
				predict((enum engine_id)nested, &view_only, &op, count);

			assert_true(got.view_known);
			assert_int_equal(got.view, count % 2 ? 1 : 2);
			is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 1);
			is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			is(&got, LEVEL_L0, EXPECT_EXACTLY, nested == ENGINE_VMX ? 3 : 2);
			op.arg = SS_HYPERCALL_NULL;
			got = predict((enum engine_id)nested, &view_only, &op, count);
			assert_false(got.view_known);
			assert_int_equal(got.value, 0);
			is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			is(&got, LEVEL_L0, EXPECT_EXACTLY, 2);
			op.arg = SS_HYPERCALL_NULL_VMM;
			got = predict((enum engine_id)nested, &view_only, &op, count);
			assert_int_equal(got.value, 0);
			is(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 1);
			is(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
			is(&got, LEVEL_L0, EXPECT_EXACTLY, nested == ENGINE_VMX ? 4 : 3);
		}
}

/* Then every access of a field is an exit too, and nobody has counted them. */
static void without_shadowing_of_the_vmcs_there_are_more(void **state)
{
	const struct ss_operation op = {.kind = SS_KIND_HYPERCALL_SERVICE, .arg = SS_HYPERCALL_NULL_VMM};
	struct expectation got;

	(void)state;
	traits = 0;
	got = predict(ENGINE_VMX, &view_only, &op, 3);
	is(&got, LEVEL_L0, EXPECT_AT_LEAST, 4);
	got = predict(ENGINE_SVM, &view_only, &op, 3);
	is(&got, LEVEL_L0, EXPECT_EXACTLY, 3);
	traits = 1u << TRAIT_VMCS_SHADOWING;
}

static void in_all(const struct expectation *expectation, enum level level, uint64_t total)
{
	const struct expect_count *count = &expectation->exits[level];

	assert_true(count->how == EXPECT_TOTAL || count->how == EXPECT_EXACTLY);
	assert_true(expect_agrees(count, total, expectation->repetitions));
	assert_false(expect_agrees(count, total + 1, expectation->repetitions));
}

/* A write of TS that the VMM refuses is #GP every other time: what the routine writes is inverted each time, what is
 * there is not. On AMD the relay gets both writes. */
static void every_other_write_is_refused(void **state)
{
	const struct ss_operation op = {.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_MOV, .arg = TS, .masked = TS};

	(void)state;
	on_ask = FLAGS_ON_ASK_REFUSE;
	for (int engine = ENGINE_VMX; engine <= ENGINE_SVM; engine++)
		for (uint32_t count = 1; count <= 9; count++) {
			struct expectation got = predict((enum engine_id)engine, &view_only, &op, count);

			assert_int_equal(got.vector, 13);
			assert_int_equal(got.faults, (count + 1) / 2);
			assert_int_equal(got.value, SS_CR0_BASE);
			in_all(&got, LEVEL_VMM, (count + 1) / 2);
			in_all(&got, LEVEL_MONITOR, engine == ENGINE_VMX ? (count + 1) / 2 : count);
		}
	on_ask = FLAGS_ON_ASK_REGISTER;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enlightened_writes), cmocka_unit_test(enlightened_reads),
		cmocka_unit_test(owned_flags_beside_a_mask),
		cmocka_unit_test(switches),           cmocka_unit_test(other_services),
		cmocka_unit_test(hypercalls),
		cmocka_unit_test(without_shadowing_of_the_vmcs_there_are_more),
		cmocka_unit_test(every_other_write_is_refused),
	};

	return cmocka_run_group_tests_name("expect_nested", tests, NULL, NULL);
}
