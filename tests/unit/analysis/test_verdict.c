/* SPDX-License-Identifier: GPL-2.0-only */
/* A run of one operation against the model: what it says of a run as it must be, and of one with a single fault. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "vmm/analysis/verdict.h"

#define COUNT 5
#define TS SS_CR0_TS
#define GP 13

/* A nested guest on Intel whose writes of TS are kept in the shadow, or, with `refuses`, refused every other time. */
struct run {
	bool refuses;
	struct ss_operation op;
	struct expect_environment environment;
	struct operation_summary summary;
	struct report_row row;
};

static struct run start(bool refuses)
{
	struct run run = {
		.refuses = refuses,
		.op = {.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_MOV, .arg = TS, .masked = TS,
		       .kept = refuses ? 0 : TS},
		.environment = {
			.engine = ENGINE_VMX,
			.backend = HOST_BACKEND_VMX,
			.traits = 1u << TRAIT_VMCS_SHADOWING,
			.embodiment = SS_EMBODIMENT_TWO_WORDS,
			.on_ask = FLAGS_ON_ASK_REFUSE,
		},
		.summary = {
			.batches = 1,
			.repetitions = COUNT,
			.result_known = true,
			.result = {.count = COUNT, .vector = refuses ? GP : SS_NO_VECTOR},
		},
	};
	/* Toggled five times; or refused the first, third and fifth time, when TS is to be set. */
	const unsigned exits = refuses ? 3 : COUNT;

	run.summary.result.faults = refuses ? 3 : 0;
	run.summary.result.value = SS_CR0_BASE | (refuses ? 0 : TS);
	for (unsigned i = 0; i < SS_EARLY; i++)
		run.summary.result.early |= ss_early(SS_CR0_BASE | (refuses || i % 2 ? 0 : TS), refuses && i % 2 == 0)
					    << SS_EARLY_BITS * i;
	run.summary.exits[LEVEL_MONITOR] = exits;
	run.summary.exits[LEVEL_VMM] = refuses ? exits : 0;
	run.summary.stats.observed = UINT64_C(1) << STAT_exits;
	/* There and back, and for the VMM the EPT pointer and the port; one more brackets the batch. */
	run.summary.stats.value[STAT_exits] = exits * (refuses ? 4 : 2) + 1;
	return run;
}

static enum verdict judge(struct run *run)
{
	run->row = (struct report_row){.name = "op", .summary = &run->summary};
	for (int level = 0; level < LEVEL_COUNT; level++)
		run->row.exits_known[level] = summary_exits(&run->summary, NULL, HOST_BACKEND_VMX,
							    (enum level)level, &run->row.exits[level]);
	verdict_judge(&run->row, &run->op, &run->environment, run->summary.batches);
	return run->row.verdict;
}

static void fails_with(struct run *run, const char *words)
{
	assert_int_equal(judge(run), VERDICT_FAIL);
	if (!strstr(run->row.note, words))
		fail_msg("'%s' does not say '%s'", run->row.note, words);
}

static void a_run_as_the_model_says_passes(void **state)
{
	(void)state;
	for (int refuses = 0; refuses < 2; refuses++) {
		struct run run = start(refuses);

		if (judge(&run) != VERDICT_PASS)
			fail_msg("%s", run.row.note);
	}
}

static void every_fault_counts(void **state)
{
	struct run run = start(true);

	(void)state;
	run.summary.result.faults--;
	fails_with(&run, "expected #GP 3 times, saw 2 faults");
	run = start(true);
	run.summary.result.vector = 6;
	fails_with(&run, "expected #GP 3 times, saw 3 faults of vector 6");
	run = start(true);
	run.summary.result.error_code = 2;
	fails_with(&run, "expected #GP with error code 0x0, saw 0x2");
	run = start(false);
	run.summary.result.faults = 1;
	fails_with(&run, "expected no fault, saw 1");
}

static void the_value_counts(void **state)
{
	struct run run = start(false);

	(void)state;
	run.summary.result.value ^= TS;
	fails_with(&run, "expected value 0x80000039");
	run = start(false);
	run.summary.results_differ = true;
	fails_with(&run, "disagree about the outcome");
	run = start(false);
	run.summary.result_known = false;
	fails_with(&run, "not performed to the end");
}

/* Whatever bit of what a repetition yielded is another one, and whether it faulted. */
static void each_of_the_first_repetitions_counts(void **state)
{
	char words[32];

	(void)state;
	for (int refuses = 0; refuses < 2; refuses++)
		for (unsigned bit = 0; bit < SS_EARLY * SS_EARLY_BITS; bit++) {
			struct run run = start(refuses);

			run.summary.result.early ^= 1u << bit;
			snprintf(words, sizeof(words), "after repetition %u,", bit / SS_EARLY_BITS + 1);
			fails_with(&run, words);
		}
	/* Nobody may leave them out who writes a control register. */
	for (int cr4 = 0; cr4 < 2; cr4++) {
		struct run run = start(false);

		run.op.kind = cr4 ? SS_KIND_CR4_WRITE : SS_KIND_CR0_WRITE;
		run.summary.result.value = TS | (cr4 ? SS_CR4_BASE : SS_CR0_BASE);
		run.summary.result.early = 0;
		fails_with(&run, "after repetition 1,");
	}
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_not_equal(ss_early(SS_CR0_BASE, 0), ss_early(SS_CR0_BASE ^ UINT64_C(1) << bit, 0));
}

/* Where repetitions are not alike the sum counts; what L0 does besides is fewer than half of them. */
static void every_exit_counts(void **state)
{
	static const enum level recorded[] = {LEVEL_MONITOR, LEVEL_VMM};

	(void)state;
	for (int refuses = 0; refuses < 2; refuses++)
		for (size_t i = 0; i < ARRAY_SIZE(recorded); i++)
			for (int more = -1; more <= 1; more += 2) {
				struct run run = start(refuses);

				if (run.summary.exits[recorded[i]] == 0 && more < 0)
					continue;
				run.summary.exits[recorded[i]] += (uint64_t)more;
				fails_with(&run, level_keys[recorded[i]]);
			}
	for (int refuses = 0; refuses < 2; refuses++) {
		struct run run = start(refuses);

		run.summary.stats.value[STAT_exits] += COUNT / 2;
		assert_int_equal(judge(&run), VERDICT_PASS);
		run.summary.stats.value[STAT_exits]++;
		fails_with(&run, "at l0");
		run = start(refuses);
		run.summary.stats.value[STAT_exits] -= COUNT / 2 + 1;
		fails_with(&run, "at l0");
	}
}

/* Of VMs or vCPUs that do the same. */
static void several_batches_have_so_many_times_the_exits(void **state)
{
	(void)state;
	for (int refuses = 0; refuses < 2; refuses++)
		for (unsigned batches = 1; batches < 4; batches++) {
			struct run run = start(refuses);

			run.summary.batches = batches;
			run.summary.repetitions *= batches;
			for (int level = 0; level < LEVEL_COUNT; level++)
				run.summary.exits[level] *= batches;
			run.summary.stats.value[STAT_exits] *= batches;
			if (judge(&run) != VERDICT_PASS)
				fail_msg("%s", run.row.note);
			run.summary.exits[LEVEL_MONITOR]++;
			fails_with(&run, "at monitor");
		}
}

static void the_view_in_the_control_structure_counts(void **state)
{
	uint64_t list[EPTP_LIST_ENTRIES] = {0x101e, 0x201e, 0x301e};
	const struct service_table services = {.enabled = 1};
	struct run run = start(false);

	(void)state;
	run.op = (struct ss_operation){.kind = SS_KIND_VMFUNC, .insn = SS_INSN_VMFUNC, .arg = 1};
	run.environment.vmfunc = (struct vmfunc_state){.list = list, .eptp = list[0], .caps = {.maxphyaddr = 40}};
	service_configure(&run.environment.vmfunc, &services);
	run.summary.result = (struct ss_result){.count = COUNT, .vector = SS_NO_VECTOR, .value = SS_VIEW_TAG | 1};
	run.summary.exits[LEVEL_MONITOR] = 0;
	run.summary.stats.value[STAT_exits] = COUNT + 1;
	run.summary.view = 1;
	assert_int_equal(judge(&run), VERDICT_PASS);
	run.summary.view = 0;
	fails_with(&run, "expected view 1 in the control structure, found 0");
}

static struct record_expectation said(const struct run *run)
{
	struct record_expectation record;

	memset(&record, 0xee, sizeof(record));
	verdict_expect(&run->op, 9, COUNT, &run->environment, &record);
	return record;
}

static void the_record_of_an_expectation_is_what_the_model_says(void **state)
{
	(void)state;
	for (int refuses = 0; refuses < 2; refuses++) {
		const struct run run = start(refuses);
		const struct record_expectation record = said(&run);
		struct expectation model;

		expect_operation(&run.environment, &run.op, COUNT, &model);
		assert_int_equal(record.record.type, RECORD_EXPECTATION);
		assert_int_equal(record.record.size, sizeof(record));
		assert_int_equal(record.operation, 9);
		assert_int_equal(record.repetitions, COUNT);
		assert_int_equal(record.vector, model.vector);
		assert_int_equal(record.faults, model.faults);
		assert_int_equal(record.error_code, model.error_code);
		assert_int_equal(record.known, model.value_known);
		assert_int_equal(record.value, model.value);
		assert_int_equal(record.view, UINT32_MAX);
		assert_int_equal(record.early_due, 1);
		for (int level = 0; level < LEVEL_COUNT; level++) {
			assert_int_equal(record.exits[level].how, model.exits[level].how);
			assert_int_equal(record.exits[level].count, model.exits[level].count);
		}
		/* Each repetition toggles TS, or is refused when it is to set it. */
		for (unsigned i = 0; i < SS_EARLY; i++)
			assert_int_equal(record.early[i], ss_early(SS_CR0_BASE | (refuses || i % 2 ? 0 : TS), refuses && i % 2 == 0));
	}
}

/* Whoever judges later comes to the same as who asks the model then, also of a run with a fault. */
static void a_record_judges_as_the_model_does(void **state)
{
	(void)state;
	for (int refuses = 0; refuses < 2; refuses++)
		for (unsigned fault = 0; fault < 5; fault++) {
			struct run run = start(refuses);
			const struct record_expectation record = said(&run);
			char note[sizeof(run.row.note)];
			enum verdict verdict;

			run.summary.result.value ^= fault == 1;
			run.summary.result.faults += fault == 2;
			run.summary.result.early ^= fault == 3;
			run.summary.exits[LEVEL_MONITOR] += fault == 4;
			verdict = judge(&run);
			assert_int_equal(verdict, fault ? VERDICT_FAIL : VERDICT_PASS);
			memcpy(note, run.row.note, sizeof(note));
			run.row.verdict = VERDICT_NONE;
			run.row.note[0] = '\0';
			verdict_compare(&run.row, &record, run.environment.backend, 1);
			assert_int_equal(run.row.verdict, verdict);
			assert_string_equal(run.row.note, note);
		}
}

static void a_record_is_of_so_many_repetitions(void **state)
{
	(void)state;
	for (int more = -1; more <= 1; more += 2) {
		struct run run = start(false);
		struct record_expectation record = said(&run);

		judge(&run);
		record.repetitions += (uint32_t)more;
		verdict_compare(&run.row, &record, run.environment.backend, 1);
		assert_int_equal(run.row.verdict, VERDICT_FAIL);
		assert_string_equal(run.row.note, "not performed to the end");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_the_model_says_passes),
		cmocka_unit_test(every_fault_counts),
		cmocka_unit_test(the_value_counts),
		cmocka_unit_test(each_of_the_first_repetitions_counts),
		cmocka_unit_test(every_exit_counts),
		cmocka_unit_test(several_batches_have_so_many_times_the_exits),
		cmocka_unit_test(the_view_in_the_control_structure_counts),
		cmocka_unit_test(the_record_of_an_expectation_is_what_the_model_says),
		cmocka_unit_test(a_record_judges_as_the_model_does),
		cmocka_unit_test(a_record_is_of_so_many_repetitions),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
