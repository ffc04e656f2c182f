/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Not observed" is never zero and zero is never "not observed": one ledger through every writer that there is. In it
 * nobody looked at L0, the relay's exits do not say how long they took, and the VMM was not reached, which the run
 * loop would have seen.
 */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/diff_make.h"
#include "vmm/profile/profile_write.h"
#include "vmm/report/ledger_formats.h"

static struct {
	uint8_t bytes[LEDGER_HEADER_SIZE + 65536];
	size_t size;
} file;

static void append(const struct record *record)
{
	assert_true(file.size + record->size <= sizeof(file.bytes));
	memcpy(file.bytes + file.size, record, record->size);
	file.size += record->size;
}

static void append_meta(const char *key, const char *value)
{
	struct {
		struct record_meta meta;
		char text[120];
	} record = {.meta.record = {.type = RECORD_META, .size = sizeof(record)}};

	memcpy(record.text, key, strlen(key));
	memcpy(record.text + strlen(key) + 1, value, strlen(value));
	append(&record.meta.record);
}

/* Three exits at the monitor in two repetitions, whose results say nothing about ticks. */
static void make_file(void)
{
	static const char *const about[][2] = {
		{"engine", "vmx"}, {"backend", "vmx"}, {"kernel", "6.1"}, {"guest", "a.elf"},
		{"vms", "1"},      {"vcpus", "1"},     {"tracing", "off"},
		{"tracepoints.missing", "no tracefs here"},
	};
	struct ledger_header header = {
		.magic = LEDGER_MAGIC, .version = LEDGER_VERSION, .header_size = LEDGER_HEADER_SIZE};
	struct record_operation operation = {
		.record = {.type = RECORD_OPERATION, .size = sizeof(operation)},
		.number = 1, .kind = SS_KIND_CPUID, .name = "an.operation"};
	struct record_exit exit = {
		.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = LEVEL_MONITOR},
		.operation = 1, .rip = 0x100000, .reason = 10};
	struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)},
				     .operation = 1, .count = 2};
	struct record_end end = {.record = {.type = RECORD_END, .size = sizeof(end)}, .cause = 1};

	file.size = LEDGER_HEADER_SIZE;
	for (size_t i = 0; i < ARRAY_SIZE(about); i++)
		append_meta(about[i][0], about[i][1]);
	append(&operation.record);
	for (int i = 0; i < 3; i++)
		append(&exit.record);
	append(&batch.record);
	append(&end.record);
	header.used = file.size - LEDGER_HEADER_SIZE;
	memcpy(file.bytes, &header, sizeof(header));
}

static struct ledger_index contents;

static int setup(void **state)
{
	struct error error;

	(void)state;
	make_file();
	return ledger_index_open_memory(&contents, file.bytes, file.size, "ledger", &error);
}

static int teardown(void **state)
{
	(void)state;
	ledger_index_close(&contents);
	return 0;
}

/* What one writer has to say of L0 and of the handling, and of the exits at the VMM: a line each, as that format has
 * it. NULL: it shows no such thing. */
struct told {
	const char *format;
	int by; /* enum group_key; -1: it has no tables */
	const char *unseen, *handling, *zero;
};

#define UNTIMED_CSV "monitor,3,100,0,not observed,not observed,not observed,not observed,not observed\n"

static const struct told tables[] = {
	{"text", GROUP_OPERATION, "2 not observed   2   0 monitor", "not observed not observed", "   0 monitor"},
	{"text", GROUP_REASON, "l0: not observed one by one: no tracefs here", "100.0 not observed", NULL},
	{"text", GROUP_RIP, "l0: not observed one by one: no tracefs here", "100.0 not observed", NULL},
	{"text", GROUP_SYMBOL, "l0: not observed one by one: no tracefs here", "100.0 not observed", NULL},
	{"text", GROUP_LEVEL, "l0      not observed not observed ", " 3 not observed ",
	 "vmm                0 "},
	{"text", GROUP_VCPU, "l0: not observed one by one: no tracefs here", "100.0 not observed", NULL},
	{"text", GROUP_INSTRUCTION, "l0: not observed one by one: no tracefs here", "100.0 not observed", NULL},
	{"text", GROUP_VM, "l0: not observed one by one: no tracefs here", "100.0 not observed", NULL},
	{"text", GROUP_SERVICE, "l0: not observed one by one: no tracefs here", NULL, NULL},
	{"json", GROUP_OPERATION, "\"l0\": \"not observed\"", "\"ticks_total\": \"not observed\"", "\"vmm\": 0,"},
	{"json", GROUP_REASON, "\"l0\": \"not observed one by one: no tracefs here\"",
	 "\"handling_ticks\": \"not observed\"", NULL},
	{"json", GROUP_RIP, "\"l0\": \"not observed one by one: no tracefs here\"",
	 "\"handling_ticks\": \"not observed\"", NULL},
	{"json", GROUP_SYMBOL, "\"l0\": \"not observed one by one: no tracefs here\"",
	 "\"handling_ticks\": \"not observed\"", NULL},
	{"json", GROUP_LEVEL, "\"exits\": \"not observed\"", "\"handling_ticks\": \"not observed\"", "\"exits\": 0,"},
	{"json", GROUP_VCPU, "\"l0\": \"not observed one by one: no tracefs here\"",
	 "\"handling_ticks\": \"not observed\"", NULL},
	{"json", GROUP_INSTRUCTION, "\"l0\": \"not observed one by one: no tracefs here\"",
	 "\"handling_ticks\": \"not observed\"", NULL},
	{"json", GROUP_VM, "\"l0\": \"not observed one by one: no tracefs here\"",
	 "\"handling_ticks\": \"not observed\"", NULL},
	{"json", GROUP_SERVICE, "\"l0\": \"not observed one by one: no tracefs here\"", NULL, NULL},
	{"csv", GROUP_OPERATION, ",2,not observed,2,0,monitor,", ",not observed,not observed,not observed,", ",0,monitor,"},
	{"csv", GROUP_REASON, NULL, UNTIMED_CSV, NULL},
	{"csv", GROUP_RIP, NULL, UNTIMED_CSV, NULL},
	{"csv", GROUP_SYMBOL, NULL, UNTIMED_CSV, NULL},
	{"csv", GROUP_LEVEL, "l0,not observed,not observed,not observed,", "monitor,3,0,not observed,", "vmm,0,0,not observed,not observed,not observed,not observed,0\n"},
	{"csv", GROUP_VCPU, NULL, UNTIMED_CSV, NULL},
	{"csv", GROUP_INSTRUCTION, NULL, UNTIMED_CSV, NULL},
	{"csv", GROUP_VM, NULL, UNTIMED_CSV, NULL},
	{"csv", GROUP_SERVICE, NULL, NULL, NULL},
	{"tap", -1, NULL, NULL, NULL},
	{"junit", -1, NULL, NULL, NULL},
	{"html", -1, "\"l0\":\"not observed\"", "\"handling_ticks\":\"not observed\"", "\"vmm\":0,"},
	{"trace", -1, "\"exits at l0\":\"not observed one by one: no tracefs here\"", "\"handling\":\"not observed\"", NULL},
	{"folded", -1, NULL, NULL, NULL},
};

static void expect(const char *name, const char *text, const char *wanted)
{
	if (wanted && !strstr(text, wanted))
		fail_msg("%s: no '%s' in:\n%s", name, wanted, text);
}

static char *write_table(const struct ledger_format *format, int by)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(ledger_format_write(format, &contents, by < 0 ? GROUP_OPERATION : (enum group_key)by,
					     WEIGHT_EXITS, stream),
			 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static const struct told *told_of(const char *format, int by)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(tables[i].format, format) == 0 && tables[i].by == by)
			return &tables[i];
	fail_msg("no row for %s by %d", format, by);
	return NULL;
}

/* Every format with every table that it has; one that comes new is missed here. Violations are seen or none. */
static void ledgers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ledger_format_count; i++) {
		const struct ledger_format *format = &ledger_formats[i];
		int first = format->groups ? 0 : -1, end = format->groups ? GROUP_VIOLATION : 0;

		for (int by = first; by < end; by++) {
			const struct told *told = told_of(format->name, by);
			char *text = write_table(format, by);

			expect(format->name, text, told->unseen);
			expect(format->name, text, told->handling);
			expect(format->name, text, told->zero);
			free(text);
		}
	}
}

/* By ticks a stack has no place for a word: it is not there, and counted. */
static void folded(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_non_null(stream);
	assert_int_equal(report_folded(&contents, WEIGHT_TICKS, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text, "");
	assert_int_equal(folded_left_out(&contents), 3);
	free(text);
}

static char *write_diff(const struct ledger_format *format, enum group_key by)
{
	struct diff diff = {.contents = {&contents, &contents}, .by = by};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(diff_make(&diff), 0);
	assert_int_equal(format->diff(&diff, stream), 0);
	assert_int_equal(fclose(stream), 0);
	diff_finish(&diff);
	return text;
}

static void diffs(void **state)
{
	static const struct {
		const char *format;
		enum group_key by;
		const char *told, *zero;
	} rows[] = {
		{"json", GROUP_OPERATION, "\"l0\": \"not observed\"", "\"vmm\": 0,"},
		{"json", GROUP_LEVEL, "\"exits\": \"not observed\"", "\"exits\": 0,"},
		{"json", GROUP_REASON, "\"ticks_each\": \"not observed\"", NULL},
		{"csv", GROUP_OPERATION, "an.operation,,none,not observed,not observed,2,2,0,0,", ",0,0,monitor,monitor,"},
		{"csv", GROUP_LEVEL, "l0,not_compared,not observed,not observed,not observed,not observed,",
		 "vmm,none,0,0,,,"},
		{"csv", GROUP_REASON, ",none,3,3,not observed,not observed,", NULL},
		{"tap", GROUP_LEVEL, "ok 3 - vmm\n", "ok 1 - l0 # SKIP nothing was observed on both sides\n"},
		{"tap", GROUP_REASON, "ok 1 - CPUID at monitor\n", NULL},
		{"junit", GROUP_LEVEL, "name=\"l0\"><skipped message=\"nothing was observed on both sides\"/>",
		 "tests=\"3\" failures=\"0\" skipped=\"1\""},
		{"junit", GROUP_REASON, "name=\"CPUID at monitor\"></testcase>", "tests=\"1\" failures=\"0\" skipped=\"0\""},
		{"text", GROUP_OPERATION, "1 operations in both: 0 with other exits", NULL},
		{"text", GROUP_LEVEL, "3 levels in both: 0 with other exits", "1 not observed in both"},
		{"text", GROUP_REASON, "l0: not observed one by one: no tracefs here", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = write_diff(ledger_format_by_name(rows[i].format), rows[i].by);

		expect(rows[i].format, text, rows[i].told);
		expect(rows[i].format, text, rows[i].zero);
		free(text);
	}
}

/* What `test` writes besides. */
static void tests(void **state)
{
	static const struct {
		report_writer *write;
		const char *told, *zero;
	} rows[] = {
		{report_tap, ", l0 not observed, monitor 2, vmm 0, ticks_median not observed", "vmm 0"},
		/* No number is in it. */
		{report_junit, "name=\"an.operation\"></testcase>", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = NULL;
		size_t size;
		FILE *stream = open_memstream(&text, &size);

		assert_non_null(stream);
		assert_int_equal(rows[i].write(&contents.report, stream), 0);
		assert_int_equal(fclose(stream), 0);
		expect(i ? "junit" : "tap", text, rows[i].told);
		expect(i ? "junit" : "tap", text, rows[i].zero);
		free(text);
	}
}

static int text_of_profile(const struct profile_view *view, FILE *stream)
{
	return profile_text(view, 0, stream);
}

/* The same of a profile. Nobody counted at L0: a twentieth of the time says how exits divide, not how many there are.
 * `seconds` 0: there was no time in which there could be a rate. */
static void profiles(void **state)
{
	static const struct {
		const char *name;
		profile_writer *write;
		double seconds;
		const char *told, *more;
	} rows[] = {
		{"text", text_of_profile, 2, "l0    CPUID  not observed 100.0 not observed   - not observed",
		 "l0: numbers: not observed"},
		{"text", text_of_profile, 0, "vmm   io     not observed 100.0", NULL},
		{"csv", profile_csv, 2, ",l0,CPUID,not observed,100,not observed,not observed,not observed,not observed,not observed,not observed,1\n",
		 ",vmm,io,1,100,not observed,not observed,not observed,not observed,2,not observed,0\n"},
		{"csv", profile_csv, 0, ",vmm,io,not observed,100,", NULL},
		{"json", profile_json, 2, "\"exits\":{\"l0\":\"not observed\",\"monitor\":0.0,\"vmm\":2.0}",
		 "\"median_ns\":\"not observed\""},
		{"json", profile_json, 0, "\"exits_per_second\":\"not observed\"", NULL},
	};
	const struct profile_key l0 = {.reason = 10, .level = LEVEL_L0, .isa = 1};
	const struct profile_key vmm = {.reason = EXIT_REASON_IO, .level = LEVEL_VMM};
	static const struct image image;
	struct profile_counts counts;
	struct profile_lines lines;

	(void)state;
	assert_int_equal(profile_counts_create(&counts, GROUP_OPERATION), 0);
	for (int i = 0; i < 2; i++) {
		profile_table_add(counts.table, &l0, 0);
		profile_table_add(counts.table, &vmm, 0);
	}
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_PART), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct profile_view view = {
			.summary = true, .time = 2, .seconds = rows[i].seconds, .lines = &lines,
			.total = &lines, .image = &image, .engine = engine_by_key("vmx"),
			.tsc_khz = 1000, .l0_source = "numbers: " NOT_OBSERVED, .missing = "",
			.report = &contents.report};
		char *text = NULL;
		size_t size;
		FILE *stream = open_memstream(&text, &size);

		assert_non_null(stream);
		assert_int_equal(rows[i].write(&view, stream), 0);
		assert_int_equal(fclose(stream), 0);
		expect(rows[i].name, text, rows[i].told);
		expect(rows[i].name, text, rows[i].more);
		free(text);
	}
	profile_lines_destroy(&lines);
	profile_counts_destroy(&counts);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(ledgers), cmocka_unit_test(folded),   cmocka_unit_test(diffs),
		cmocka_unit_test(tests),   cmocka_unit_test(profiles),
	};

	return cmocka_run_group_tests_name("observed", all, setup, teardown);
}
