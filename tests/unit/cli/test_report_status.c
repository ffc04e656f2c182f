/* SPDX-License-Identifier: GPL-2.0-only */
/* `sidestep report` of a ledger that came from a computer: its exit status, by docs/commands.md, and the formats that tell
 * of tests. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/analysis/verdict.h"
#include "vmm/command/commands.h"
#include "vmm/ledger/ledger.h"

#define COUNT 5

static char directory[] = "/tmp/sidestep-status-XXXXXX";
static char ledger_path[64], output_path[64], error_path[64];
static struct ledger ledger;

static const struct ss_operation port = {.kind = SS_KIND_PORT, .insn = SS_INSN_IN};

static int setup(void **state)
{
	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(ledger_path, sizeof(ledger_path), "%s/ledger", directory);
	snprintf(output_path, sizeof(output_path), "%s/output", directory);
	snprintf(error_path, sizeof(error_path), "%s/error", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(ledger_path);
	unlink(output_path);
	unlink(error_path);
	return rmdir(directory);
}

static void begin(const char *backend)
{
	struct error error = {0};

	assert_int_equal(ledger_create(&ledger, ledger_path, 0, &error), 0);
	ledger_append_meta(&ledger, "engine", "svm");
	ledger_append_meta(&ledger, "backend", backend);
	ledger_append_meta(&ledger, "vcpus", "1");
	ledger_append_meta(&ledger, "vms", "1");
}

static void append_expectation(void)
{
	const struct expect_environment environment = {
		.engine = ENGINE_SVM, .backend = HOST_BACKEND_BARE, .embodiment = SS_EMBODIMENT_TWO_WORDS};
	struct record_expectation record;

	verdict_expect(&port, 1, COUNT, &environment, &record);
	ledger_append(&ledger, &record.record);
}

static void append_run(unsigned exits)
{
	const struct record_batch batch = {
		.record = {.type = RECORD_BATCH, .size = sizeof(batch)}, .operation = 1, .count = COUNT};
	const struct record_result result = {
		.record = {.type = RECORD_RESULT, .size = sizeof(result)},
		.result = {.operation = 1, .count = COUNT, .vector = SS_NO_VECTOR, .value = 0xff}};

	for (unsigned i = 0; i < 2 * exits; i++) {
		const struct record_exit exit = {
			.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = i % 2 ? LEVEL_MONITOR : LEVEL_VMM},
			.operation = 1,
		};

		ledger_append(&ledger, &exit.record);
	}
	ledger_append(&ledger, &batch.record);
	ledger_append(&ledger, &result.record);
}

static void append_end(enum stop_cause cause, int status, const char *text)
{
	struct record_end record = {.record = {.type = RECORD_END, .size = sizeof(record)}, .cause = cause, .status = status};

	snprintf(record.text, sizeof(record.text), "%s", text);
	ledger_append(&ledger, &record.record);
}

/* Of the ledger, or of two that are the same. What it says on standard error is kept. */
static int report_of(int ledgers, const char *format)
{
	char *const operands[] = {ledger_path, ledger_path, NULL};
	const struct settings settings = {
		.format = format, .output = output_path, .operands = operands, .operand_count = ledgers};
	const int kept = dup(STDERR_FILENO), file = open(error_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int status;

	assert_true(kept >= 0 && file >= 0);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	status = command_report(&settings);
	fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	close(file);
	return status;
}

static int report(const char *format)
{
	return report_of(1, format);
}

static bool says(const char *path, const char *word)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	size_t size;

	if (!file)
		return false;
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	return strstr(text, word) != NULL;
}

static void formats_of_tests_need_something_that_was_expected(void **state)
{
	static const char *const formats[] = {"tap", "junit"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		begin("bare");
		append_run(COUNT);
		append_end(STOP_EXIT, 0, "");
		ledger_close(&ledger);
		assert_int_equal(report(formats[i]), STATUS_USAGE);
		assert_true(says(error_path, "nothing was expected"));
		assert_true(says(error_path, formats[i]));
		/* Nothing is left that could be taken for a result. */
		assert_int_equal(access(output_path, F_OK), -1);
		assert_int_equal(errno, ENOENT);
	}
}

static void others_have_something_to_tell_of_it(void **state)
{
	static const char *const formats[] = {"text", "json", "csv"};

	(void)state;
	begin("bare");
	append_run(COUNT);
	append_end(STOP_EXIT, 0, "");
	ledger_close(&ledger);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		assert_int_equal(report(formats[i]), STATUS_SUCCESS);
}

static void what_was_judged_is_told_as_tests(void **state)
{
	(void)state;
	begin("bare");
	append_expectation();
	append_run(COUNT);
	append_end(STOP_EXIT, 0, "");
	ledger_close(&ledger);
	assert_int_equal(report("tap"), STATUS_SUCCESS);
	assert_true(says(output_path, "\nok 1 "));
	assert_int_equal(report("junit"), STATUS_SUCCESS);
	assert_true(says(output_path, "<testcase "));
	assert_false(says(output_path, "<failure"));
}

static void a_failure_is_the_status_in_every_format(void **state)
{
	static const char *const formats[] = {"text", "json", "csv", "tap", "junit"};

	(void)state;
	begin("bare");
	append_expectation();
	append_run(COUNT + 1);
	append_end(STOP_EXIT, 0, "");
	ledger_close(&ledger);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		assert_int_equal(report(formats[i]), STATUS_FAILED);
	assert_true(says(output_path, "<failure"));
}

/* Whatever status goes with it. */
static void a_computer_that_failed_is_a_failure(void **state)
{
	static const int statuses[] = {0, 1, 42};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		begin("bare");
		append_expectation();
		append_run(COUNT);
		append_end(STOP_GUEST, statuses[i], "triple fault");
		ledger_close(&ledger);
		assert_int_equal(report("text"), STATUS_FAILED);
	}
}

static void where_nothing_could_be_performed_it_was_skipped(void **state)
{
	(void)state;
	begin("bare");
	append_expectation();
	ledger_append_meta(&ledger, "skipped.1", "needs: vmm; host: bare");
	append_end(STOP_EXIT, 0, "");
	ledger_close(&ledger);
	assert_int_equal(report("text"), STATUS_SKIPPED);
	assert_int_equal(report_of(2, "text"), STATUS_SKIPPED);
}

/* `sidestep run` would have ended with it. */
static void the_status_of_a_guest_is_the_reports(void **state)
{
	static const int statuses[] = {0, 1, 42, 255};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		begin("bare");
		append_end(STOP_EXIT, statuses[i], "");
		ledger_close(&ledger);
		assert_int_equal(report("text"), statuses[i]);
	}
}

/* Where there was a process, it had the status, and the report says only whether it could be made. */
static void the_status_of_a_process_was_told_before(void **state)
{
	(void)state;
	begin("svm");
	append_end(STOP_EXIT, 42, "");
	ledger_close(&ledger);
	assert_int_equal(report("text"), STATUS_SUCCESS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(formats_of_tests_need_something_that_was_expected),
		TEST(others_have_something_to_tell_of_it),
		TEST(what_was_judged_is_told_as_tests),
		TEST(a_failure_is_the_status_in_every_format),
		TEST(a_computer_that_failed_is_a_failure),
		TEST(where_nothing_could_be_performed_it_was_skipped),
		TEST(the_status_of_a_guest_is_the_reports),
		TEST(the_status_of_a_process_was_told_before),
	};

	return cmocka_run_group_tests_name("report_status", tests, NULL, NULL);
}
