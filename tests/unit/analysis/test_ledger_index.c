/* SPDX-License-Identifier: GPL-2.0-only */
/* Ledgers that say themselves what was expected: rows with verdicts, also of operations that left no other record, and none
 * for what nobody asked for. Nothing in such records is trusted. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "vmm/analysis/ledger_index.h"
#include "vmm/analysis/observed.h"
#include "vmm/analysis/verdict.h"

#define COUNT 5
#define TS SS_CR0_TS
#define PORT_RIP 0x1000

enum { KEPT = 1, PORT = 2, SKIPPED = 3, OTHER = 4 };

static struct ledger ledger;
static struct ledger_index contents;

static const struct ss_operation kept = {
	.kind = SS_KIND_CR0_WRITE, .insn = SS_INSN_MOV, .arg = TS, .masked = TS, .kept = TS};
static const struct ss_operation port = {.kind = SS_KIND_PORT, .insn = SS_INSN_IN};

static const struct expect_environment environment = {
	.engine = ENGINE_VMX, .backend = HOST_BACKEND_BARE, .embodiment = SS_EMBODIMENT_TWO_WORDS};

static void append_operation(uint32_t number, const char *name, uint32_t kind)
{
	struct record_operation operation = {
		.record = {.type = RECORD_OPERATION, .size = sizeof(operation)}, .number = number, .kind = kind};

	snprintf(operation.name, sizeof(operation.name), "%s", name);
	ledger_append(&ledger, &operation.record);
}

static int setup(void **state)
{
	struct error error = {0};

	(void)state;
	if (ledger_create_scratch(&ledger, &error) != 0)
		return -1;
	ledger_append_meta(&ledger, "engine", "vmx");
	ledger_append_meta(&ledger, "backend", "bare");
	ledger_append_meta(&ledger, "vcpus", "1");
	ledger_append_meta(&ledger, "vms", "1");
	append_operation(KEPT, "kept", SS_KIND_CR0_WRITE);
	append_operation(PORT, "port", SS_KIND_PORT);
	append_operation(SKIPPED, "skipped", SS_KIND_MMIO);
	append_operation(OTHER, "other", SS_KIND_RDTSC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_index_close(&contents);
	ledger_close(&ledger);
	return 0;
}

static void expectation(uint32_t number, const struct ss_operation *op, struct record_expectation *ret_record)
{
	verdict_expect(op, number, COUNT, &environment, ret_record);
}

static void expect(uint32_t number, const struct ss_operation *op)
{
	struct record_expectation record;

	expectation(number, op, &record);
	ledger_append(&ledger, &record.record);
}

static void append_exits(uint32_t number, enum level level, unsigned count)
{
	const struct record_exit exit = {
		.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = (uint16_t)level},
		.rip = PORT_RIP,
		.operation = number,
	};

	for (unsigned i = 0; i < count; i++)
		ledger_append(&ledger, &exit.record);
}

/* A run of the operation: what the guest says, and so many exits. */
static void perform(uint32_t number, uint64_t value, uint32_t early, unsigned monitor, unsigned vmm)
{
	const struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)},
					   .operation = number, .count = COUNT, .view = 0};
	const struct record_result result = {
		.record = {.type = RECORD_RESULT, .size = sizeof(result)},
		.result = {.operation = number, .count = COUNT, .vector = SS_NO_VECTOR, .value = value, .early = early}};

	append_exits(number, LEVEL_MONITOR, monitor);
	append_exits(number, LEVEL_VMM, vmm);
	ledger_append(&ledger, &batch.record);
	ledger_append(&ledger, &result.record);
}

/* TS is toggled, kept in the shadow: five times an odd number, and after each what the guest reads. */
static void perform_kept(unsigned monitor)
{
	uint32_t early = 0;

	for (unsigned i = 0; i < SS_EARLY; i++)
		early |= ss_early(SS_CR0_BASE | (i % 2 ? 0 : TS), 0) << SS_EARLY_BITS * i;
	perform(KEPT, SS_CR0_BASE | TS, early, monitor, 0);
}

static void perform_port(unsigned vmm)
{
	perform(PORT, 0xff, 0, COUNT, vmm);
}

static void end(enum stop_cause cause, int status, const char *text)
{
	struct record_end record = {.record = {.type = RECORD_END, .size = sizeof(record)}, .cause = cause, .status = status};

	snprintf(record.text, sizeof(record.text), "%s", text);
	ledger_append(&ledger, &record.record);
}

static const struct report *index_ledger(void)
{
	struct error error = {0};

	if (ledger_index_open_memory(&contents, ledger.header, LEDGER_HEADER_SIZE + ledger.used, "ledger", &error) != 0)
		fail_msg("%s", error.text);
	return &contents.report;
}

static const struct report_row *row_of(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (strcmp(report->rows[i].name, name) == 0)
			return &report->rows[i];
	fail_msg("no row of %s", name);
	return NULL;
}

static void without_expectations_nothing_is_judged(void **state)
{
	const struct report *report;

	(void)state;
	perform_kept(COUNT);
	end(STOP_EXIT, 0, "");
	report = index_ledger();
	assert_false(report->judged);
	assert_int_equal(row_of(report, "kept")->verdict, VERDICT_NONE);
	assert_int_equal(report->passed + report->failed + report->skipped, 0);
	assert_int_equal(report->hidden, HIDE_IN_LEDGER);
}

static void an_operation_as_expected_passes(void **state)
{
	const struct report *report;

	(void)state;
	expect(KEPT, &kept);
	expect(PORT, &port);
	perform_kept(COUNT);
	perform_port(COUNT);
	end(STOP_EXIT, 0, "");
	report = index_ledger();
	assert_true(report->judged);
	assert_int_equal(report->hidden, HIDE_IN_TEST);
	assert_int_equal(report->row_count, 2);
	for (size_t i = 0; i < report->row_count; i++)
		if (report->rows[i].verdict != VERDICT_PASS)
			fail_msg("%s: %s", report->rows[i].name, report->rows[i].note);
	assert_int_equal(report->passed, 2);
	assert_int_equal(report->failed, 0);
}

static void another_number_of_exits_fails(void **state)
{
	const struct report *report;

	(void)state;
	expect(KEPT, &kept);
	expect(PORT, &port);
	perform_kept(COUNT + 1);
	perform_port(COUNT - 1);
	report = index_ledger();
	assert_int_equal(row_of(report, "kept")->verdict, VERDICT_FAIL);
	assert_non_null(strstr(row_of(report, "kept")->note, "at monitor"));
	assert_int_equal(row_of(report, "port")->verdict, VERDICT_FAIL);
	assert_non_null(strstr(row_of(report, "port")->note, "at vmm"));
	assert_int_equal(report->failed, 2);
	assert_int_equal(report->passed, 0);
}

static void what_was_to_be_performed_and_was_not_fails(void **state)
{
	const struct report *report;

	(void)state;
	expect(KEPT, &kept);
	expect(OTHER, &port);
	perform_kept(COUNT);
	end(STOP_GUEST, 1, "triple fault");
	report = index_ledger();
	assert_int_equal(row_of(report, "kept")->verdict, VERDICT_PASS);
	assert_int_equal(row_of(report, "other")->verdict, VERDICT_FAIL);
	assert_non_null(strstr(row_of(report, "other")->note, "not performed to the end"));
	assert_string_equal(report->end, "triple fault");
}

/* Of another number of repetitions nothing was said. */
static void another_number_of_repetitions_fails(void **state)
{
	struct record_expectation record;
	const struct report *report;

	(void)state;
	expectation(KEPT, &kept, &record);
	record.repetitions++;
	ledger_append(&ledger, &record.record);
	perform_kept(COUNT);
	report = index_ledger();
	assert_int_equal(row_of(report, "kept")->verdict, VERDICT_FAIL);
}

static void what_is_skipped_has_its_reason(void **state)
{
	const struct report *report;

	(void)state;
	expect(KEPT, &kept);
	ledger_append_meta(&ledger, "skipped.3", "needs: vmm; host: bare");
	perform_kept(COUNT);
	report = index_ledger();
	assert_int_equal(report->row_count, 2);
	assert_int_equal(row_of(report, "skipped")->verdict, VERDICT_SKIP);
	assert_string_equal(row_of(report, "skipped")->note, "needs: vmm; host: bare");
	assert_int_equal(report->skipped, 1);
	assert_int_equal(report->passed, 1);
}

/* A reason longer than a row's note is cut. */
/* Of a test of which nothing can be performed there is no expectation. */
static void a_test_is_one_if_all_of_it_is_skipped(void **state)
{
	const struct report *report;

	(void)state;
	ledger_append_meta(&ledger, "judged", "by expectations");
	ledger_append_meta(&ledger, "skipped.3", "needs: ve; host: none");
	perform(OTHER, 0, 0, 0, 0);
	report = index_ledger();
	assert_true(report->judged);
	assert_int_equal(report->passed + report->failed, 0);
	assert_int_equal(report->skipped, 1);
	assert_int_equal(report->row_count, 1);
}

static void a_long_reason_is_cut(void **state)
{
	char reason[400];
	const struct report *report;

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	ledger_append_meta(&ledger, "skipped.3", reason);
	report = index_ledger();
	assert_int_equal(strlen(row_of(report, "skipped")->note), sizeof(report->rows[0].note) - 1);
}

/* Performed for calibration, or as what another is compared with. */
static void what_nobody_asked_for_has_no_row(void **state)
{
	const struct report *report;

	(void)state;
	expect(KEPT, &kept);
	perform_kept(COUNT);
	perform(OTHER, 0, 0, 0, 0);
	report = index_ledger();
	assert_int_equal(report->row_count, 1);
	assert_string_equal(report->rows[0].name, "kept");
}

/* A name that the guest has given as it ran may have any printable characters, one of a catalogue only some. */
static void names_by_kind(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind;
		bool good;
	} names[] = {
		{"a.name-1", SS_KIND_CPUID, true}, {"A", SS_KIND_CPUID, false}, {"A", 0, true}, {"a,\"<&;#~!", 0, true},
		{"a b", 0, false}, {"a\tb", 0, false}, {"a\x7f", 0, false}, {"a\xe4", 0, false}, {"", 0, false},
	};
	struct record_operation whole = {.record = {.type = RECORD_OPERATION, .size = sizeof(whole)}, .number = 40};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		append_operation(10 + i, names[i].name, names[i].kind);
	memset(whole.name, 'a', sizeof(whole.name));
	ledger_append(&ledger, &whole.record);
	index_ledger();
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(ledger_index_operation(&contents, 10 + i), names[i].good ? names[i].name : "?");
	assert_string_equal(ledger_index_operation(&contents, 40), "?");
	assert_true(contents.odd);
}

/* Numbers that no operation has, and expectations of nothing. */
static void hostile_numbers_are_left_out(void **state)
{
	static const uint32_t numbers[] = {0, SS_MAX_OPERATIONS + 1, INT32_MAX, UINT32_MAX};
	static const char *const keys[] = {"skipped.0", "skipped.4294967296", "skipped.-1", "skipped.", "skipped.x",
					   "skipped.99999999999999999999"};
	const struct report *report;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		expect(numbers[i], &kept);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		ledger_append_meta(&ledger, keys[i], "why");
	perform_kept(COUNT);
	report = index_ledger();
	assert_false(report->judged);
	assert_int_equal(report->row_count, 1);
	assert_int_equal(report->skipped, 0);
}

static void an_expectation_of_no_repetition_is_none(void **state)
{
	struct record_expectation record;
	const struct report *report;

	(void)state;
	expectation(KEPT, &kept, &record);
	record.repetitions = 0;
	ledger_append(&ledger, &record.record);
	perform_kept(COUNT);
	report = index_ledger();
	assert_false(report->judged);
	assert_int_equal(row_of(report, "kept")->verdict, VERDICT_NONE);
}

/* The last operation that there can be, which left no record. */
static void the_largest_number_has_its_row(void **state)
{
	char key[32];
	const struct report *report;

	(void)state;
	snprintf(key, sizeof(key), "skipped.%u", SS_MAX_OPERATIONS);
	ledger_append_meta(&ledger, key, "why");
	expect(SS_MAX_OPERATIONS - 1, &kept);
	report = index_ledger();
	assert_int_equal(report->row_count, 2);
	assert_int_equal(report->rows[0].verdict, VERDICT_FAIL);
	assert_int_equal(report->rows[1].verdict, VERDICT_SKIP);
	assert_string_equal(report->rows[1].name, "?");
}

/* Ways to count that the model does not have say nothing; all other words are numbers to compare with. */
static void hostile_words_of_an_expectation_are_only_compared(void **state)
{
	struct record_expectation usual;
	const struct report *report;

	(void)state;
	expectation(KEPT, &kept, &usual);
	for (uint32_t how = EXPECT_TOTAL + 1; how >= EXPECT_TOTAL + 1; how = how < 8 ? how + 1 : 2 * how) {
		struct record_expectation record = usual;

		for (int level = 0; level < LEVEL_COUNT; level++)
			record.exits[level].how = record.exits[level].count = how;
		setup(NULL);
		ledger_append(&ledger, &record.record);
		perform_kept(COUNT);
		report = index_ledger();
		assert_int_equal(row_of(report, "kept")->verdict, VERDICT_PASS);
		teardown(NULL);
	}
	for (size_t word = sizeof(struct record) + 8; word < sizeof(usual); word += 4) {
		struct record_expectation record = usual;

		memset((uint8_t *)&record + word, 0xff, 4);
		setup(NULL);
		ledger_append(&ledger, &record.record);
		perform_kept(COUNT);
		report = index_ledger();
		assert_true(report->judged);
		assert_int_equal(report->passed + report->failed, 1);
		teardown(NULL);
	}
}

/* Without a process that could have had it, the exit status is in the ledger alone. */
static void the_exit_status_of_a_computer_is_the_guests(void **state)
{
	const struct report *report;

	(void)state;
	end(STOP_EXIT, 42, "");
	report = index_ledger();
	assert_int_equal(report->status, 42);
	assert_string_equal(report->end, "");
}

/* What a monitor alone has nothing to do with may have ended at a hypervisor that is below it. */
static void a_hypervisor_below_is_told_of(void **state)
{
	char text[OBSERVED_SIZE];
	const struct report *report;

	(void)state;
	for (unsigned below = 0; below < 2; below++) {
		setup(NULL);
		if (below)
			ledger_append_meta(&ledger, "below", "KVMKVMKVM");
		perform(OTHER, 0, 0, 0, 0);
		perform_kept(COUNT);
		report = index_ledger();
		assert_int_equal(report_has_no_l0(report), !below);
		assert_int_equal(row_of(report, "other")->placement, below ? PLACEMENT_UNKNOWN : PLACEMENT_CPU);
		assert_int_equal(row_of(report, "kept")->placement, PLACEMENT_MONITOR);
		assert_int_equal(observed_records(report, LEVEL_L0), below ? RECORDED_NONE : RECORDED_NO_LEVEL);
		assert_int_equal(strstr(observed_counts_text(report, LEVEL_L0, text), "KVMKVMKVM") != NULL, below);
		assert_int_equal(strstr(observed_records_text(report, LEVEL_L0, text), "KVMKVMKVM") != NULL, below);
		teardown(NULL);
	}
	setup(NULL);
}

static void append_violation(uint64_t gpa, const char *region)
{
	struct record_violation record = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(record)}, .gpa = gpa, .access = 1};

	snprintf(record.region, sizeof(record.region), "%s", region);
	ledger_append(&ledger, &record.record);
}

/* The bare monitor knows no names of memory; the policy's are beside. */
static void regions_without_a_name_get_theirs(void **state)
{
	static const char *const values[] = {"0xe1000 0x1000 shared", "0xe2000 0x2000 a name", "917504", "0x1000 0x1000 ",
					     "0x5000 0x1000x", ""};
	static const struct {
		uint64_t gpa;
		const char *told, *name;
	} rows[] = {{0xe0fff, "", ""}, {0xe1000, "", "shared"}, {0xe1fff, "", "shared"}, {0xe3fff, "", "a name"},
		    {0xe4000, "", ""}, {0xe1008, "its own", "its own"}, {0x1000, "", ""}, {0x5000, "", ""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		append_violation(rows[i].gpa, rows[i].told);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		ledger_append_meta(&ledger, "region.0", values[i]);
	index_ledger();
	assert_int_equal(contents.summary->violation_count, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(contents.summary->violations[i].record.region, rows[i].name);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_expectations_nothing_is_judged),
		TEST(an_operation_as_expected_passes),
		TEST(another_number_of_exits_fails),
		TEST(what_was_to_be_performed_and_was_not_fails),
		TEST(another_number_of_repetitions_fails),
		TEST(what_is_skipped_has_its_reason),
		TEST(a_test_is_one_if_all_of_it_is_skipped),
		TEST(a_long_reason_is_cut),
		TEST(what_nobody_asked_for_has_no_row),
		TEST(names_by_kind),
		TEST(hostile_numbers_are_left_out),
		TEST(an_expectation_of_no_repetition_is_none),
		TEST(the_largest_number_has_its_row),
		cmocka_unit_test(hostile_words_of_an_expectation_are_only_compared),
		TEST(the_exit_status_of_a_computer_is_the_guests),
		TEST(a_hypervisor_below_is_told_of),
		TEST(regions_without_a_name_get_theirs),
	};

	return cmocka_run_group_tests_name("ledger_index", tests, NULL, NULL);
}
