/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model of the engine svm against AMD's rules, written down here a second time, and
 * against that of the engine vmx, which must give a guest the same values. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "default_policy.h"
#include "expect.h"

#define PE UINT64_C(0x1)
#define MP UINT64_C(0x2)
#define EM UINT64_C(0x4)
#define TS UINT64_C(0x8)
#define AM UINT64_C(0x40000)

#define LMSW_SELECTIVE (1u << TRAIT_LMSW_SELECTIVE)
#define GP_INTERCEPTED (1u << TRAIT_GP_INTERCEPTED)

static struct view_policy policy;
static uint64_t list[EPTP_LIST_ENTRIES];

static int setup(void **state)
{
	static const struct default_policy_layout layout = {{0xe0000}, {0xe4000}, {{0x100000}, 0x1000}, false};

	(void)state;
	for (size_t i = 0; i < DEFAULT_POLICY_VIEWS; i++)
		list[i] = (i + 1) << 12 | 0x1e;
	return default_policy(&policy, &layout, DEFAULT_POLICY_VIEWS);
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&policy);
	return 0;
}

static struct expectation predict(enum engine_id engine, uint32_t traits,
				  const struct ss_operation *op, uint32_t count)
{
	struct expect_environment environment = {
		.embodiment = SS_EMBODIMENT_TWO_WORDS,
		.engine = engine,
		.backend = engine == ENGINE_VMX ? HOST_BACKEND_VMX : HOST_BACKEND_SVM,
		.traits = traits,
		.policy = &policy,
		.window = gpa_at(0xe0000),
		.kernel = gpa_at(0x100000),
		.vmfunc = {.enabled = true, .function_controls = 1, .services = {.enabled = 1}, .list = list, .eptp = list[0],
			   .caps = {.maxphyaddr = 40}},
	};
	struct expectation expectation;

	expect_operation(&environment, op, count, &expectation);
	return expectation;
}

static void is(const struct expectation *expectation, enum level level, enum expect_how how,
	       unsigned count)
{
	assert_int_equal(expectation->exits[level].how, how);
	assert_int_equal(expectation->exits[level].count, count);
}

/* `monitor` exits to the relay, each of which L0 hands on and comes back from; `more` is what ends at L0 itself. */
static void goes_to_relay(const struct expectation *expectation, unsigned monitor, unsigned more)
{
	is(expectation, LEVEL_MONITOR, EXPECT_EXACTLY, monitor);
	is(expectation, LEVEL_L0, EXPECT_EXACTLY, 2 * monitor + more);
}

/* AMD APM vol. 2, table 15-7: MOV to CR0 under the selective intercept. */
static bool mov_taken(uint64_t from, uint64_t to)
{
	return (from & ~(TS | MP)) != (to & ~(TS | MP));
}

/* One MOV or LMSW of inverted flags; nothing is kept, so register and shadow start out the same. */
static void writes(void **state)
{
	static const uint64_t masks[] = {0, TS, MP, TS | MP, EM, EM | TS, AM, AM | MP, AM | EM};

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(masks); m++)
		for (uint64_t flags = 0; flags < 16; flags += 2)
			for (int lmsw = 0; lmsw < 2; lmsw++)
				for (uint32_t traits = 0; traits <= LMSW_SELECTIVE; traits++) {
					struct ss_operation op = {
						.kind = SS_KIND_CR0_WRITE,
						.insn = lmsw ? SS_INSN_LMSW : SS_INSN_MOV,
						.arg = flags, .masked = (uint32_t)masks[m]};
					struct expectation got = predict(ENGINE_SVM, traits, &op, 1);
					bool selected = lmsw && !traits
								? true
								: mov_taken(SS_CR0_BASE,
									    SS_CR0_BASE ^ flags);

					/* What the VMM is asked for takes the relay's port. */
					goes_to_relay(&got, masks[m] != 0,
						      masks[m] ? (flags & masks[m]) != 0 : selected);
					is(&got, LEVEL_VMM, EXPECT_EXACTLY, (flags & masks[m]) != 0);
					assert_int_equal(got.value, SS_CR0_BASE ^ flags);
				}
}

/* Every write is taken when anything is masked, also one of what the guest sees: the processor has no
 * read shadow to compare with. */
static void masked_writes_are_all_taken(void **state)
{
	struct ss_operation op = {.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_MOV,
				  .masked = (uint32_t)EM, .kept = (uint32_t)EM, .shadow = (uint32_t)EM};
	struct expectation got = predict(ENGINE_SVM, 0, &op, 1);

	(void)state;
	goes_to_relay(&got, 1, 0);
	assert_int_equal(got.value, SS_CR0_BASE | EM);
	op.shadow = 0;
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 1, 0);
}

/* CLTS is a write to the full intercept and nothing to the selective one, which is L0's. */
static void clts(void **state)
{
	struct ss_operation op = {.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_CLTS, .arg = TS};
	struct expectation got;

	(void)state;
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 0, 0);
	op.masked = (uint32_t)AM;
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 1, 0);
	op.masked = (uint32_t)MP;
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 1, 0);
	op.flags = SS_OP_PAIR;
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 2, 0);
}

/* Without a read shadow in the processor a read exits as soon as anything is masked, kept or not. */
static void reads(void **state)
{
	(void)state;
	for (uint32_t pick = 0; pick < 256; pick += 2)
		for (int smsw = 0; smsw < 2; smsw++) {
			const uint32_t masked = pick & 14, kept = pick >> 4 & masked;
			struct ss_operation op = {
				.kind = SS_KIND_CR0_READ, .insn = smsw ? SS_INSN_SMSW : SS_INSN_MOV,
				.cr0 = (uint32_t)TS, .masked = masked, .kept = kept,
				.shadow = (uint32_t)MP};
			struct expectation got = predict(ENGINE_SVM, 0, &op, 1);
			/* Fig. 6: what is kept is read from the shadow, all else from the register. */
			uint64_t seen = SS_CR0_BASE | (TS & ~(uint64_t)kept) | (MP & kept);

			goes_to_relay(&got, masked != 0, 0);
			assert_int_equal(got.value, smsw ? seen & 0xffff : seen);
		}
}

/* The relay decides every VMFUNC alone, refused ones included; off, #UD is not intercepted. */
static void vmfunc(void **state)
{
	static const uint32_t leaves[] = {0, 1, 63, 64, 0xffffffff};
	static const uint32_t indexes[] = {0, 1, 3, 4, 511, 512, 0xfffffffe};

	(void)state;
	for (size_t l = 0; l < ARRAY_SIZE(leaves); l++)
		for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
			struct ss_operation op = {
				.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC,
				.arg = (uint64_t)leaves[l] << 32 | indexes[i]};
			struct expectation got = predict(ENGINE_SVM, 0, &op, 10);

			goes_to_relay(&got, 1, 0);
			is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			assert_int_equal(got.vector, leaves[l] != 0 ? 6 : SS_NO_VECTOR);
			op.setup = SS_SETUP_VMFUNC_OFF;
			got = predict(ENGINE_SVM, 0, &op, 10);
			goes_to_relay(&got, 0, 1);
			assert_int_equal(got.vector, 6);
		}
}

static void others(void **state)
{
	struct ss_operation op = {.kind = SS_KIND_HYPERCALL, .insn = SS_INSN_VMMCALL};
	struct expectation got = predict(ENGINE_SVM, 0, &op, 1);

	(void)state;
	goes_to_relay(&got, 1, 0);
	assert_int_equal((int64_t)got.value, -ENOSYS);
	op.insn = SS_INSN_VMCALL;
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 1, 0);
	assert_int_equal(got.vector, 6);
	is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
	op = (struct ss_operation){.kind = SS_KIND_CPUID, .insn = SS_INSN_CPUID};
	got = predict(ENGINE_SVM, 0, &op, 1);
	/* The relay asks the processor, that is L0. */
	goes_to_relay(&got, 1, 1);
	/* EFER.SVME is hidden by the VMM, without the relay. */
	op = (struct ss_operation){.kind = SS_KIND_RDMSR, .insn = SS_INSN_RDMSR};
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 0, 1);
	is(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
	assert_int_equal(got.value, 0x500);
	got = predict(ENGINE_FLAT, 0, &op, 1);
	is(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
	/* KVM intercepts reads of CR4 of every SVM guest (arch/x86/kvm/svm/svm.c, init_vmcb). */
	op = (struct ss_operation){.kind = SS_KIND_CR4_READ, .insn = SS_INSN_MOV};
	got = predict(ENGINE_SVM, 0, &op, 1);
	goes_to_relay(&got, 0, 1);
}

static void faults(void **state)
{
	struct ss_operation op = {.kind = SS_KIND_FAULT, .insn = SS_INSN_UD2};

	(void)state;
	for (uint32_t vector = 0; vector < 32; vector++)
		for (unsigned trait = 0; trait < 2; trait++) {
			uint32_t traits = trait ? GP_INTERCEPTED : 0;
			struct expectation got;

			op.arg = vector;
			got = predict(ENGINE_SVM, traits, &op, 1);
			goes_to_relay(&got, vector == 6, vector == 13 && trait);
			got = predict(ENGINE_FLAT, traits, &op, 1);
			is(&got, LEVEL_L0, EXPECT_EXACTLY, vector == 6);
		}
}

/* Whatever the vendor, a guest sees the same: values, faults, views. */
static void same_values(void **state)
{
	static const uint32_t sets[] = {0, 2, 8, 10};

	(void)state;
	for (uint32_t kind = SS_KIND_CR0_WRITE; kind < SS_KIND_COUNT; kind++)
		for (uint32_t insn = SS_INSN_NONE; insn < SS_INSN_COUNT; insn++)
			for (size_t masked = 0; masked < ARRAY_SIZE(sets); masked++)
				for (size_t kept = 0; kept <= masked; kept++)
					for (uint32_t bits = 0; bits < 16; bits++) {
						struct ss_operation op = {
							.kind = kind, .insn = insn,
							.masked = sets[masked],
							.kept = sets[kept] & sets[masked],
							.shadow = sets[bits & 3],
							.cr0 = sets[bits >> 2], .arg = bits & 10};
						struct expectation vmx = predict(ENGINE_VMX, 0, &op, 5);
						struct expectation svm = predict(ENGINE_SVM, 0, &op, 5);

						/* Each vendor has its own hypercall instruction. */
						if (kind == SS_KIND_HYPERCALL)
							continue;
						assert_int_equal(vmx.vector, svm.vector);
						assert_int_equal(vmx.value_known, svm.value_known);
						if (vmx.value_known)
							assert_int_equal(vmx.value, svm.value);
						assert_int_equal(vmx.view_known, svm.view_known);
						if (vmx.view_known)
							assert_int_equal(vmx.view, svm.view);
					}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(masked_writes_are_all_taken),
		cmocka_unit_test(clts),
		cmocka_unit_test(reads),
		cmocka_unit_test(vmfunc),
		cmocka_unit_test(others),
		cmocka_unit_test(faults),
		cmocka_unit_test(same_values),
	};

	return cmocka_run_group_tests_name("expect_svm", tests, setup, teardown);
}
