/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model against the rules of the manuals, written down here a second time. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "default_policy.h"
#include "expect.h"

#define PE 0x1u
#define MP 0x2u
#define EM 0x4u
#define TS 0x8u
#define UD 6
#define NM 7
#define GP 13

#define WINDOW UINT64_C(0xe0000)
#define FRAMES UINT64_C(0xe4000)
#define KERNEL UINT64_C(0x100000)

struct fixture {
	struct view_policy policy;
	uint64_t list[EPTP_LIST_ENTRIES];
	struct expect_environment environment;
};

static struct fixture fixture;

static int setup(void **state)
{
	const struct default_policy_layout layout = {
		gpa_at(WINDOW), gpa_at(FRAMES), {gpa_at(KERNEL), 2 * GPA_PAGE_SIZE}, false};

	const struct service_table services = {.enabled = 1};

	(void)state;
	fixture = (struct fixture){0};
	if (default_policy(&fixture.policy, &layout, DEFAULT_POLICY_VIEWS) != 0)
		return -1;
	for (size_t i = 0; i < fixture.policy.view_count; i++)
		fixture.list[i] = (i + 1) << 12 | 0x1e;
	fixture.environment = (struct expect_environment){
		.embodiment = SS_EMBODIMENT_TWO_WORDS,
		.engine = ENGINE_FLAT,
		.policy = &fixture.policy,
		.window = gpa_at(WINDOW),
		.kernel = gpa_at(KERNEL),
		.vmfunc = {.list = fixture.list, .eptp = fixture.list[0],
			   .caps = {.maxphyaddr = 52}},
	};
	service_configure(&fixture.environment.vmfunc, &services);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&fixture.policy);
	return 0;
}

static struct expectation predict(enum host_backend backend, const struct ss_operation *op,
				  uint32_t count)
{
	struct expectation expectation;

	fixture.environment.backend = backend;
	memset(&expectation, 0xee, sizeof(expectation));
	expect_operation(&fixture.environment, op, count, &expectation);
	return expectation;
}

static void expect_exits(const struct expectation *expectation, enum level level,
			 enum expect_how how, unsigned count)
{
	assert_int_equal(expectation->exits[level].how, how);
	if (how != EXPECT_ANY)
		assert_int_equal(expectation->exits[level].count, count);
}

/* One write of CR0 after the other, as the processor does it. */
static uint64_t mov_cr0(uint64_t cr0, uint64_t operand)
{
	(void)cr0;
	return operand;
}

/* Intel SDM vol. 2A, LMSW: loads PE, MP, EM and TS of the operand; PE cannot be cleared. */
static uint64_t lmsw(uint64_t cr0, uint64_t operand)
{
	return (cr0 & ~(uint64_t)0xf) | (operand & 0xf) | (cr0 & PE);
}

/* Every start state and operand the flags allow, for one to four repetitions. */
static void cr0_writes(void **state)
{
	(void)state;
	for (uint32_t start = 0; start < 16; start += 2)
		for (uint32_t flags = 0; flags < 16; flags++)
			for (uint32_t count = 1; count <= 4; count++) {
				struct ss_operation op = {.kind = SS_KIND_CR0_WRITE, .cr0 = start,
							  .arg = flags};
				uint64_t by_mov = SS_CR0_BASE | start, by_lmsw = by_mov;
				uint64_t operand = by_mov, cleared = by_mov & ~(uint64_t)TS;
				struct expectation got;

				for (uint32_t i = 0; i < count; i++) {
					operand ^= flags;
					by_mov = mov_cr0(by_mov, operand);
					by_lmsw = lmsw(by_lmsw, operand);
				}
				op.insn = SS_INSN_MOV;
				got = predict(HOST_BACKEND_VMX, &op, count);
				assert_true(got.value_known);
				/* MOV must not take PE away. */
				assert_int_equal(got.vector, flags & PE ? GP : SS_NO_VECTOR);
				assert_int_equal(got.faults, flags & PE ? (count + 1) / 2 : 0);
				assert_int_equal(got.value, flags & PE ? SS_CR0_BASE | start : by_mov);
				op.insn = SS_INSN_LMSW;
				got = predict(HOST_BACKEND_VMX, &op, count);
				assert_int_equal(got.value, by_lmsw);
				assert_true(got.value & PE);
				op.insn = SS_INSN_CLTS;
				got = predict(HOST_BACKEND_VMX, &op, count);
				assert_int_equal(got.value, cleared);
			}
}

/* Who owns what under KVM: TS belongs to a VMX guest, MP does not; SVM's selective intercept
 * ignores both but takes every LMSW. Interpreted, everything is somebody else's work. */
static void cr0_exits(void **state)
{
	static const uint32_t insns[] = {SS_INSN_MOV, SS_INSN_LMSW, SS_INSN_CLTS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		for (uint32_t flags = 0; flags < 16; flags += 2) {
			struct ss_operation op = {.kind = SS_KIND_CR0_WRITE, .insn = insns[i],
						  .arg = flags};
			struct expectation got;

			if (insns[i] == SS_INSN_CLTS && flags & MP)
				continue;
			/* KVM owns MP and EM, not TS. */
			got = predict(HOST_BACKEND_VMX, &op, 2);
			expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY,
				     insns[i] != SS_INSN_CLTS && flags & (MP | EM) ? 1 : 0);
			expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
			got = predict(HOST_BACKEND_SVM, &op, 2);
			expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY,
				     insns[i] == SS_INSN_LMSW ||
					     (insns[i] == SS_INSN_MOV && flags & EM));
			expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			got = predict(HOST_BACKEND_PVM, &op, 2);
			expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST, 1);
			expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			got = predict(HOST_BACKEND_UNKNOWN, &op, 2);
			expect_exits(&got, LEVEL_L0, EXPECT_ANY, 0);
		}
}

static void cr0_reads(void **state)
{
	(void)state;
	for (uint32_t flags = 0; flags < 16; flags += 2) {
		struct ss_operation op = {.kind = SS_KIND_CR0_READ, .insn = SS_INSN_MOV,
					  .cr0 = flags};
		struct expectation got = predict(HOST_BACKEND_VMX, &op, 1);

		assert_int_equal(got.value, 0x80000031 | flags);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 0);
		op.insn = SS_INSN_SMSW;
		got = predict(HOST_BACKEND_SVM, &op, 1);
		assert_int_equal(got.value, 0x31 | flags);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 0);
	}
}

/* Intel SDM vol. 3A, table 2-2 (combinations of EM, MP and TS): x87 and FXSAVE
 * raise #NM if EM or TS is set, WAIT if both TS and MP are. */
static void fpu(void **state)
{
	static const struct {
		uint32_t cr0;
		bool fxsave, wait;
	} rows[] = {
		{0, false, false},       {TS, true, false},
		{MP, false, false},      {MP | TS, true, true},
		{EM, true, false},       {EM | TS, true, false},
		{EM | MP, true, false},  {EM | MP | TS, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int backend = 0; backend < HOST_BACKEND_COUNT; backend++) {
			struct ss_operation op = {.kind = SS_KIND_FPU, .insn = SS_INSN_FXSAVE,
						  .cr0 = rows[i].cr0};
			struct expectation got = predict((enum host_backend)backend, &op, 1);

			assert_int_equal(got.vector, rows[i].fxsave ? NM : SS_NO_VECTOR);
			expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
			op.insn = SS_INSN_WAIT;
			got = predict((enum host_backend)backend, &op, 1);
			assert_int_equal(got.vector, rows[i].wait ? NM : SS_NO_VECTOR);
			expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY,
				     backend == HOST_BACKEND_PVM);
		}
}

/* Leaf and index classes; a leaf that is not enabled is #UD, an index that is refused gives a negative
 * errno. Of #UD the guest's handler asks the VMM, also where that has said so before. */
static void vmfunc(void **state)
{
	static const uint32_t leaves[] = {0, 1, 2, 31, 32, 63, 64, 65, 0x7fffffff, 0xffffffff};
	static const uint32_t indexes[] = {0, 1, 2, 3, 4, 5, 511, 512, 513, 0xfffffffe, 0xffffffff};

	(void)state;
	for (size_t l = 0; l < ARRAY_SIZE(leaves); l++)
		for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
			for (int backend = 0; backend < HOST_BACKEND_COUNT; backend++)
				for (int user = 0; user < 2; user++) {
					uint32_t leaf = leaves[l], index = indexes[i];
					struct ss_operation op = {
						.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC,
						.arg = (uint64_t)leaf << 32 | index,
						.flags = user ? SS_OP_CPL3 : 0};
					bool interpreted = backend == HOST_BACKEND_PVM && !user;
					struct expectation got =
						predict((enum host_backend)backend, &op, 10);

					if (leaf != 0) {
						assert_int_equal(got.vector, UD);
						expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY,
							     interpreted + (leaf <= 63));
						continue;
					}
					assert_int_equal(got.vector, SS_NO_VECTOR);
					expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
					/* What memory says decides then. */
					assert_int_equal(got.value_known, index != 0xffffffff);
					if (index == 0xffffffff)
						continue;
					if (index > 511)
						assert_int_equal((int64_t)got.value, -ERANGE);
					else if (index >= DEFAULT_POLICY_VIEWS)
						assert_int_equal((int64_t)got.value, -EINVAL);
					else
						assert_int_equal(got.value, SS_VIEW_TAG | index);
				}
}

static void vmfunc_series(void **state)
{
	struct ss_operation op = {.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC, .arg = 1,
				  .flags = SS_OP_ROTATE};
	struct expectation got;

	(void)state;
	for (uint32_t count = 1; count < 10; count++) {
		got = predict(HOST_BACKEND_VMX, &op, count);
		assert_int_equal(got.value, SS_VIEW_TAG | (count % 2 ? 1 : 2));
	}
	/* With its index in memory it is the VMM's, whoever is in front. */
	op.flags |= SS_OP_IN_MEMORY;
	got = predict(HOST_BACKEND_VMX, &op, 3);
	assert_int_equal(got.value, SS_VIEW_TAG | 1);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
	op.flags = SS_OP_PAIR;
	got = predict(HOST_BACKEND_VMX, &op, 3);
	assert_int_equal(got.value, SS_VIEW_TAG | 0);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 2);
	/* VM functions switched off. */
	fixture.environment.vmfunc.enabled = false;
	op.flags = 0;
	got = predict(HOST_BACKEND_VMX, &op, 3);
	assert_int_equal(got.vector, UD);
}

/* What the comment in default_policy.h promises, page by page. */
static const struct {
	unsigned shared, private_;
} promised[DEFAULT_POLICY_VIEWS] = {{7, 7}, {VIEW_READ, 7}, {VIEW_READ, 0}, {0, 0}};

static unsigned promised_rights(uint32_t view, uint32_t page)
{
	if (view >= DEFAULT_POLICY_VIEWS)
		return 0;
	if (page == SS_PAGE_KERNEL)
		return view ? VIEW_READ | VIEW_EXECUTE : 7;
	return page == SS_WINDOW_SHARED    ? promised[view].shared
	       : page == SS_WINDOW_PRIVATE ? promised[view].private_
					   : 7;
}

static void view_access(void **state)
{
	static const uint64_t contents[] = {0, SS_WINDOW_SHARED_VALUE, SS_WINDOW_PRIVATE_VALUE,
					    SS_PAGE_KERNEL_VALUE};

	(void)state;
	for (uint32_t view = 0; view <= DEFAULT_POLICY_VIEWS; view++)
		for (uint32_t page = 1; page <= SS_PAGE_KERNEL; page++)
			for (int store = 0; store < 2; store++) {
				struct ss_operation op = {
					.kind = SS_KIND_VIEW_ACCESS,
					.insn = store ? SS_INSN_STORE : SS_INSN_LOAD,
					.arg = view << 8 | page};
				struct expectation got = predict(HOST_BACKEND_SVM, &op, 10);
				bool allowed = promised_rights(view, page) &
					       (store ? VIEW_WRITE : VIEW_READ);

				assert_int_equal(got.vector, SS_NO_VECTOR);
				expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, !allowed);
				if (allowed) {
					/* A store writes what is there already. */
					assert_true(got.value_known);
					assert_int_equal(got.value, contents[page]);
					expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 0);
				} else {
					assert_true(got.value_known);
					assert_int_equal(got.value,
							 store ? contents[page] : UINT64_MAX);
					expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST, 1);
				}
			}
	/* A page that no window has. */
	for (uint32_t page = SS_PAGE_KERNEL + 1; page < 256; page++) {
		struct ss_operation op = {.kind = SS_KIND_VIEW_ACCESS, .insn = SS_INSN_LOAD,
					  .arg = page};
		struct expectation got = predict(HOST_BACKEND_SVM, &op, 10);

		assert_false(got.value_known);
	}
}

/* The service that sets rights: what can be expressed by memory slots, and by tables. */
static bool refused(enum engine_id engine, unsigned rights)
{
	const bool readable = rights & VIEW_READ, executable = rights & VIEW_EXECUTE;

	if (rights == 0)
		return false;
	return !readable || (engine == ENGINE_FLAT && !executable);
}

static void map_one(enum engine_id engine, unsigned rights, unsigned insn, unsigned page)
{
	const bool store = insn == SS_INSN_STORE, accessed = insn != SS_INSN_VMFUNC;
	const uint64_t contents = page == SS_WINDOW_SHARED ? SS_WINDOW_SHARED_VALUE
							   : SS_WINDOW_PRIVATE_VALUE;
	struct ss_operation op = {.kind = SS_KIND_MAP, .insn = insn, .flags = SS_OP_PAIR,
				  .arg = (uint64_t)rights << 16 | page};
	const bool forbidden = accessed && !(rights & (store ? VIEW_WRITE : VIEW_READ));
	struct expectation got;
	unsigned exits = 2;

	fixture.environment.engine = engine;
	got = predict(engine == ENGINE_SVM ? HOST_BACKEND_SVM : HOST_BACKEND_VMX, &op, 10);
	assert_int_equal(got.vector, SS_NO_VECTOR);
	assert_true(got.value_known);
	if (refused(engine, rights)) {
		assert_int_equal((int64_t)got.value, -EOPNOTSUPP);
	} else {
		assert_int_equal(got.value, !accessed ? 0 : forbidden && !store ? UINT64_MAX : contents);
		exits += forbidden;
	}
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, exits);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, engine == ENGINE_FLAT ? 0 : exits);
	/* There, back and by the port, and on Intel the EPT pointer; what it takes to change L0's tables comes on top. */
	expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST,
		     engine == ENGINE_FLAT ? 1 : engine == ENGINE_VMX ? 4 * exits : 3 * exits);
}

/* With one vCPU the relay makes the changes, but for those of the first of 10 repetitions. */
static void map_alone(enum engine_id engine, unsigned rights, unsigned insn)
{
	const struct ss_operation op = {.kind = SS_KIND_MAP, .insn = insn, .flags = SS_OP_PAIR,
					.arg = (uint64_t)rights << 16 | SS_WINDOW_SHARED};
	const unsigned forbidden = insn == SS_INSN_STORE && !refused(engine, rights) && !(rights & VIEW_WRITE);
	const unsigned passed = refused(engine, rights) ? 20 : 10 * forbidden + (rights == 7 ? 1 : 2);
	const unsigned exits = 10 * (2 + forbidden);
	struct expectation got;

	fixture.environment.engine = engine;
	fixture.environment.alone = true;
	got = predict(engine == ENGINE_SVM ? HOST_BACKEND_SVM : HOST_BACKEND_VMX, &op, 10);
	fixture.environment.alone = false;
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, exits / 10);
	expect_exits(&got, LEVEL_VMM, passed % 10 ? EXPECT_TOTAL : EXPECT_EXACTLY, passed % 10 ? passed : passed / 10);
	expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST,
		     engine == ENGINE_VMX ? (2 * exits + 2 * passed) / 10 : (2 * exits + passed) / 10);
}

/* One call, with its parameters in registers and in memory, where the VMM has to read them. */
static void map_same_alone(void)
{
	struct ss_operation op = {.kind = SS_KIND_MAP, .insn = SS_INSN_VMFUNC,
				  .arg = VIEW_RIGHTS_ALL << 16 | SS_WINDOW_SHARED};
	struct expectation got;

	fixture.environment.engine = ENGINE_SVM;
	fixture.environment.alone = true;
	got = predict(HOST_BACKEND_SVM, &op, 10);
	expect_exits(&got, LEVEL_VMM, EXPECT_TOTAL, 1);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 1);
	expect_exits(&got, LEVEL_L0, EXPECT_TOTAL, 21);
	op.flags = SS_OP_IN_MEMORY;
	got = predict(HOST_BACKEND_SVM, &op, 10);
	fixture.environment.alone = false;
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
	expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 3);
}

static void map(void **state)
{
	static const unsigned insns[] = {SS_INSN_VMFUNC, SS_INSN_LOAD, SS_INSN_STORE};
	struct ss_operation unknown = {.kind = SS_KIND_MAP, .insn = SS_INSN_VMFUNC,
				       .arg = 7 << 16 | SS_PAGE_UNKNOWN};

	(void)state;
	for (int engine = ENGINE_FLAT; engine < ENGINE_COUNT; engine++)
		for (unsigned rights = 0; rights < 8; rights++)
			for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
				for (unsigned page = SS_WINDOW_SHARED; page < SS_WINDOW_PAGES; page++)
					map_one((enum engine_id)engine, rights, insns[i], page);
	for (unsigned rights = 0; rights < 8; rights++)
		for (size_t i = 0; i < ARRAY_SIZE(insns); i += 2) {
			map_alone(ENGINE_VMX, rights, insns[i]);
			map_alone(ENGINE_SVM, rights, insns[i]);
		}
	map_same_alone();
	assert_int_equal((int64_t)predict(HOST_BACKEND_VMX, &unknown, 1).value, -ENOENT);
	unknown.arg = 7 << 16 | DEFAULT_POLICY_VIEWS << 8 | SS_WINDOW_SHARED;
	assert_int_equal((int64_t)predict(HOST_BACKEND_VMX, &unknown, 1).value, -ENOENT);
}

/* Where the guest gets a page fault instead: for every refused access if it is asked for, for code that
 * may not be fetched always. */
static void view_faults(void **state)
{
	static const struct {
		uint32_t insn;
		unsigned right, error_code; /* bits 0, 1 and 4: the page is there, written, fetched */
	} insns[] = {{SS_INSN_LOAD, VIEW_READ, 1}, {SS_INSN_STORE, VIEW_WRITE, 3}, {SS_INSN_CALL, VIEW_EXECUTE, 0x11}};

	(void)state;
	for (int run = 0; run < 2 * 3 * 4 * 2 * 3; run++) {
		int engine = ENGINE_FLAT + run % 3, inject = run / 3 % 2, insn = run / 6 % 3;
		uint32_t view = (uint32_t)run / 18 % 4, page = SS_WINDOW_SHARED + (uint32_t)run / 72 % 2;
		struct ss_operation op = {.kind = SS_KIND_VIEW_ACCESS, .insn = insns[insn].insn,
					  .arg = view << 8 | page};
		/* A memory slot that can be read can be executed. */
		unsigned right = engine == ENGINE_FLAT && insns[insn].right == VIEW_EXECUTE
					 ? VIEW_READ
					 : insns[insn].right;
		bool refused = !(promised_rights(view, page) & right);
		struct expectation got;

		fixture.environment.engine = (enum engine_id)engine;
		fixture.environment.inject = inject;
		got = predict(HOST_BACKEND_VMX, &op, 10);
		assert_int_equal(got.vector, refused && (inject || insn == 2) ? 14 : SS_NO_VECTOR);
		assert_int_equal(got.error_code, got.vector == 14 ? insns[insn].error_code : 0);
		expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, refused);
		expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, refused && engine != ENGINE_FLAT);
		/* What a store left behind is known even if it faulted; what a load would have given is
		 * not. */
		assert_int_equal(got.value_known, insn != 0 || !refused || !inject);
		if (insn == 1)
			assert_int_equal(got.value, page == SS_WINDOW_SHARED ? SS_WINDOW_SHARED_VALUE
									     : SS_WINDOW_PRIVATE_VALUE);
		if (insn == 2)
			assert_int_equal(got.value, 0);
	}
}

static void hypercalls(void **state)
{
	(void)state;
	for (int backend = 0; backend < HOST_BACKEND_COUNT; backend++)
		for (int amd = 0; amd < 2; amd++) {
			struct ss_operation op = {.kind = SS_KIND_HYPERCALL,
						  .insn = amd ? SS_INSN_VMMCALL : SS_INSN_VMCALL};
			struct expectation got = predict((enum host_backend)backend, &op, 1);
			bool native = backend == (amd ? HOST_BACKEND_SVM : HOST_BACKEND_VMX);

			assert_int_equal(got.vector, native ? SS_NO_VECTOR : UD);
			if (native)
				assert_int_equal((int64_t)got.value, -1000);
			expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
		}
}

/* No kind and no number crashes the model or leaves a field undefined. */
static void every_kind(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind <= SS_KIND_COUNT; kind++)
		for (uint32_t insn = 0; insn <= SS_INSN_COUNT; insn++)
			for (int backend = 0; backend < HOST_BACKEND_COUNT; backend++) {
				struct ss_operation op = {.kind = kind, .insn = insn,
							  .arg = 0x0000000e, .count = 1};
				struct expectation got = predict((enum host_backend)backend, &op, 1);

				for (int level = 0; level < LEVEL_COUNT; level++)
					assert_true(got.exits[level].how <= EXPECT_AT_LEAST);
				assert_true(got.vector == SS_NO_VECTOR || got.vector < 32);
				assert_int_not_equal(got.value, 0xeeeeeeeeeeeeeeee);
			}
}

static void port_and_faults(void **state)
{
	struct ss_operation op = {.kind = SS_KIND_PORT, .insn = SS_INSN_IN};
	struct expectation got = predict(HOST_BACKEND_VMX, &op, 1);

	(void)state;
	assert_int_equal(got.value, 0xff);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
	expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 1);
	for (uint32_t vector = 0; vector < 32; vector++) {
		op = (struct ss_operation){.kind = SS_KIND_FAULT, .insn = SS_INSN_LOAD, .arg = vector};
		got = predict(HOST_BACKEND_VMX, &op, 1);
		assert_int_equal(got.vector, vector);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, vector == UD);
		expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
	}
}

static void agreement(void **state)
{
	static const uint64_t repetitions[] = {0, 1, 3, 1000};

	(void)state;
	for (unsigned count = 0; count < 4; count++)
		for (size_t r = 0; r < ARRAY_SIZE(repetitions); r++)
			for (uint64_t observed = 0; observed < 3100; observed++) {
				uint64_t wanted = count * repetitions[r];
				struct expect_count exactly = {EXPECT_EXACTLY, count};
				struct expect_count at_least = {EXPECT_AT_LEAST, count};
				struct expect_count any = {EXPECT_ANY, count};

				assert_int_equal(expect_agrees(&exactly, observed, repetitions[r]),
						 observed == wanted);
				assert_int_equal(expect_agrees(&at_least, observed, repetitions[r]),
						 observed >= wanted);
				assert_true(expect_agrees(&any, observed, repetitions[r]));
			}
}

static void words(const char *const *keys, int first, int count)
{
	for (int i = first; i < count; i++) {
		assert_non_null(keys[i]);
		assert_true(strlen(keys[i]) > 0);
		for (int j = first; j < i; j++)
			assert_string_not_equal(keys[i], keys[j]);
	}
}

static void tables(void **state)
{
	(void)state;
	words(engine_keys, 0, ENGINE_COUNT);
	assert_string_equal(engine_keys[ENGINE_INVALID], "invalid");
	words(engine_meanings, 1, ENGINE_COUNT);
	words(host_backend_keys, 0, HOST_BACKEND_COUNT);
	words(host_backend_modules, 0, HOST_BACKEND_COUNT);
	words(level_keys, 0, LEVEL_COUNT);
	words(level_meanings, 0, LEVEL_COUNT);
	words(placement_keys, 0, PLACEMENT_VMM + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cr0_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(cr0_exits, setup, teardown),
		cmocka_unit_test_setup_teardown(cr0_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(fpu, setup, teardown),
		cmocka_unit_test_setup_teardown(vmfunc, setup, teardown),
		cmocka_unit_test_setup_teardown(map, setup, teardown),
		cmocka_unit_test_setup_teardown(vmfunc_series, setup, teardown),
		cmocka_unit_test_setup_teardown(view_access, setup, teardown),
		cmocka_unit_test_setup_teardown(view_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(hypercalls, setup, teardown),
		cmocka_unit_test_setup_teardown(every_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(port_and_faults, setup, teardown),
		cmocka_unit_test(agreement),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests_name("expect", tests, NULL, NULL);
}
