/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/printable.h"
#include "vmm/report/report_violations.h"

/* Words that every format must get through: quotes, markup, line breaks, control characters. */
#define NASTY "a,b \"c\" <d> & 'e'\nf\tg\033[31m"

struct fixture {
	struct summary *summary;
	struct report_row rows[4];
	struct report report;
};

static struct fixture fixture;

static void add_batch(uint32_t operation, uint64_t exits)
{
	struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)},
				     .operation = operation, .count = 1000,
				     .observed = UINT64_C(1) << STAT_exits};

	batch.value[STAT_exits] = exits;
	summary_add(fixture.summary, &batch.record);
}

static void add_result(uint32_t operation, uint32_t ticks, uint64_t value, uint32_t faults,
		       uint32_t vector)
{
	struct record_result result = {.record = {.type = RECORD_RESULT, .size = sizeof(result)}};

	result.result.operation = operation;
	result.result.count = 1000;
	result.result.faults = faults;
	result.result.vector = vector;
	result.result.value = value;
	result.result.samples = 1;
	result.result.sample_size = 10;
	result.result.ticks[0] = ticks;
	summary_add(fixture.summary, &result.record);
}

/* The empty loop, one that passed, one that failed, one that was skipped. */
static int setup(void **state)
{
	static const char *const names[] = {"ref.nothing", "cr0.ts.mov", "cr0.mp.mov", "view.x"};

	(void)state;
	fixture = (struct fixture){.summary = summary_create()};
	if (!fixture.summary)
		return -1;
	add_batch(1, 1);
	add_batch(2, 1001);
	add_batch(3, 2001);
	add_result(1, 50, 0, 0, SS_NO_VECTOR);
	add_result(2, 15000, UINT64_MAX, 0, SS_NO_VECTOR);
	add_result(3, 333, 0, 1000, 7);
	fixture.report = (struct report){
		.schema = "sidestep.test", .engine = ENGINE_FLAT, .backend = HOST_BACKEND_VMX,
		.kernel = "6.1", .guest = "built-in", .vcpus = 1, .vms = 1,
		.rows = fixture.rows, .row_count = ARRAY_SIZE(names),
		.summary = fixture.summary, .loop = &fixture.summary->operations[1],
		.passed = 2, .failed = 1, .skipped = 1,
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		fixture.rows[i].name = names[i];
		fixture.rows[i].verdict = VERDICT_PASS;
		fixture.rows[i].vm = REPORT_ALL_VMS;
		if (i == 3)
			continue;
		fixture.rows[i].summary = &fixture.summary->operations[i + 1];
		report_measure(&fixture.report, &fixture.rows[i]);
	}
	fixture.rows[2].verdict = VERDICT_FAIL;
	fixture.rows[3].verdict = VERDICT_SKIP;
	snprintf(fixture.rows[2].note, sizeof(fixture.rows[2].note), "expected #NM");
	snprintf(fixture.rows[3].note, sizeof(fixture.rows[3].note), "needs: views; host: none");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	summary_destroy(fixture.summary);
	return 0;
}

static char *written(report_writer *writer)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(writer(&fixture.report, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(strlen(text), size);
	return text;
}

/* A reader of RFC 4180, which gives field `wanted` of line `line`. */
static void csv_field(const char *text, unsigned line, unsigned wanted, char *out, size_t size)
{
	unsigned row = 0, column = 0;
	bool quoted = false;
	size_t used = 0;

	for (; *text; text++) {
		if (*text == '"' && quoted && text[1] == '"')
			text++;
		else if (*text == '"') {
			quoted = !quoted;
			continue;
		} else if (!quoted && *text == ',') {
			column++;
			continue;
		} else if (!quoted && *text == '\n') {
			row++;
			column = 0;
			continue;
		}
		if (row == line && column == wanted && used + 1 < size)
			out[used++] = *text;
	}
	assert_false(quoted);
	assert_true(row > line);
	out[used] = '\0';
}

static void expect_csv(const char *text, unsigned line, enum column column, const char *wanted)
{
	char field[256];

	csv_field(text, line, column, field, sizeof(field));
	assert_string_equal(field, wanted);
}

static void csv(void **state)
{
	char *text;

	(void)state;
	snprintf(fixture.rows[2].note, sizeof(fixture.rows[2].note), "%s", NASTY);
	text = written(report_csv);
	for (int column = 0; column < COLUMN_COUNT; column++)
		expect_csv(text, 0, (enum column)column, report_columns[column].key);
	expect_csv(text, 1, COLUMN_OPERATION, "ref.nothing");
	expect_csv(text, 1, COLUMN_L0, "0");
	expect_csv(text, 2, COLUMN_L0, "1");
	expect_csv(text, 2, COLUMN_PLACEMENT, "l0");
	expect_csv(text, 2, COLUMN_OUTCOME, "0xffffffffffffffff");
	expect_csv(text, 2, COLUMN_TICKS_MEDIAN, "1500");
	expect_csv(text, 2, COLUMN_EET, "1495");
	expect_csv(text, 3, COLUMN_TICKS_MIN, "33.3");
	expect_csv(text, 3, COLUMN_OUTCOME, "#NM");
	expect_csv(text, 3, COLUMN_NOTE, NASTY);
	expect_csv(text, 4, COLUMN_RESULT, "skip");
	expect_csv(text, 4, COLUMN_L0, "");
	free(text);
}

/* Flat TAP 13: a plan, as many lines, nothing but comments besides, whatever a note contains. */
static void tap(void **state)
{
	char *text, *rest, *line;
	unsigned points = 0;

	(void)state;
	snprintf(fixture.rows[2].note, sizeof(fixture.rows[2].note), "wrong\nok 9 - forged");
	snprintf(fixture.rows[3].note, sizeof(fixture.rows[3].note), "why\r\nBail out! forged");
	text = rest = written(report_tap);
	line = strsep(&rest, "\n");
	assert_string_equal(line, "TAP version 13");
	line = strsep(&rest, "\n");
	assert_string_equal(line, "1..4");
	while ((line = strsep(&rest, "\n")) != NULL && rest) {
		char start[32];

		if (line[0] == '#')
			continue;
		points++;
		snprintf(start, sizeof(start), "%sok %u - ", points == 3 ? "not " : "", points);
		if (strncmp(line, start, strlen(start)) != 0)
			fail_msg("'%s' does not start with '%s'", line, start);
		assert_int_equal(strstr(line, " # SKIP ") != NULL, points == 4);
		assert_null(strchr(line, '\r'));
	}
	assert_int_equal(points, 4);
	assert_null(strstr(text, "Bail out!  "));
	free(text);
	fixture.report.row_count = 0;
	text = written(report_tap);
	assert_non_null(strstr(text, "\n1..0 # SKIP "));
	free(text);
	fixture.report.row_count = 1;
	snprintf(fixture.report.end, sizeof(fixture.report.end), "timeout\nafter");
	text = written(report_tap);
	assert_non_null(strstr(text, "\nBail out! timeout"));
	assert_null(strstr(text, "\nafter"));
	free(text);
}

/* Well-formed by xmllint, if there is one, and by looking. */
static void junit(void **state)
{
	char *text;

	(void)state;
	snprintf(fixture.rows[2].note, sizeof(fixture.rows[2].note), "%s", NASTY);
	snprintf(fixture.rows[3].note, sizeof(fixture.rows[3].note), "]]> %s \x80\xff", NASTY);
	snprintf(fixture.report.end, sizeof(fixture.report.end), "</testsuite> & \xc3");
	text = written(report_junit);
	assert_non_null(strstr(text, "tests=\"4\" failures=\"1\" skipped=\"1\" errors=\"1\""));
	assert_non_null(strstr(text, "a,b &quot;c&quot; &lt;d&gt; &amp; 'e'"));
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "<d>"));
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c < 0x80);
	if (system("command -v xmllint >/dev/null") == 0) {
		FILE *xmllint = popen("xmllint --noout -", "w");

		assert_non_null(xmllint);
		assert_true(fputs(text, xmllint) >= 0);
		assert_int_equal(pclose(xmllint), 0);
	}
	free(text);
}

static json_t *parsed(void)
{
	json_error_t error;
	char *text = written(report_json);
	json_t *root = json_loads(text, 0, &error);

	if (!root)
		fail_msg("%s in %s", error.text, text);
	free(text);
	return root;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("no string '%s'", key);
	return text;
}

static void json(void **state)
{
	json_t *root, *operations, *row;

	(void)state;
	snprintf(fixture.rows[2].note, sizeof(fixture.rows[2].note), "%s", NASTY);
	fixture.report.guest = "/tmp/" NASTY;
	root = parsed();
	assert_string_equal(string_at(root, "schema"), "sidestep.test");
	assert_true(json_is_integer(json_object_get(root, "version")));
	assert_string_equal(string_at(root, "guest"), "/tmp/" NASTY);
	assert_true(json_is_null(json_object_get(root, "end")));
	operations = json_object_get(root, "operations");
	assert_int_equal(json_array_size(operations), 4);
	row = json_array_get(operations, 1);
	for (int column = 0; column < COLUMN_COUNT; column++)
		assert_non_null(json_object_get(row, report_columns[column].key));
	assert_string_equal(string_at(row, "value"), "0xffffffffffffffff");
	assert_int_equal(json_integer_value(json_object_get(row, "l0")), 1);
	assert_true(json_real_value(json_object_get(row, "ticks_median")) == 1500);
	row = json_array_get(operations, 2);
	assert_string_equal(string_at(row, "note"), NASTY);
	assert_int_equal(json_integer_value(json_object_get(row, "faults")), 1000);
	row = json_array_get(operations, 3);
	assert_true(json_is_null(json_object_get(row, "l0")));
	assert_string_equal(string_at(row, "result"), "skip");
	json_decref(root);
}

/* File names are bytes; a key must not vanish because they are no UTF-8. */
static void json_bytes(void **state)
{
	json_t *root;

	(void)state;
	fixture.report.guest = "/tmp/\xff\xfe";
	snprintf(fixture.report.end, sizeof(fixture.report.end), "at \xc3\x28");
	root = parsed();
	assert_non_null(strstr(string_at(root, "guest"), "/tmp/"));
	assert_non_null(strstr(string_at(root, "end"), "at "));
	json_decref(root);
}

static void text(void **state)
{
	char *out;

	(void)state;
	fixture.report.guest = "/tmp/\033[31m\nx";
	fixture.report.lost = 12;
	fixture.report.judged = true;
	fixture.summary->samples_dropped = true;
	out = written(report_text);
	assert_non_null(strstr(out, "ticks: of the first samples only"));
	assert_null(strchr(out, '\033'));
	assert_non_null(strstr(out, "cr0.mp.mov"));
	assert_non_null(strstr(out, "expected #NM"));
	assert_non_null(strstr(out, "2 passed, 1 failed, 1 skipped"));
	assert_non_null(strstr(out, "lost: 12 records"));
	assert_non_null(strstr(out, "l0: KVM_GET_STATS_FD exits"));
	assert_non_null(strstr(out, "vmm: run loop"));
	free(out);
}

/* What was not looked at is never a zero, in no format. */
static void not_observed(void **state)
{
	char *out;
	json_t *root;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fixture.summary->operations[i + 1].stats.observed = 0;
		report_measure(&fixture.report, &fixture.rows[i]);
	}
	out = written(report_csv);
	expect_csv(out, 2, COLUMN_L0, "not observed");
	expect_csv(out, 2, COLUMN_PLACEMENT, "not observed");
	expect_csv(out, 2, COLUMN_VMM, "0");
	free(out);
	out = written(report_text);
	assert_non_null(strstr(out, "not observed: no operation was performed to its end"));
	free(out);
	fixture.report.counters_missing = "this KVM has no counters";
	out = written(report_text);
	assert_non_null(strstr(out, "not observed: this KVM has no counters"));
	free(out);
	root = parsed();
	assert_string_equal(
		string_at(json_array_get(json_object_get(root, "operations"), 1), "l0"),
		"not observed");
	json_decref(root);
}

/* column.def: a word for programs, a heading and a line for people, and no two alike. */
static void columns(void **state)
{
	(void)state;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		assert_true(strlen(report_columns[i].header) > 0 && strlen(report_columns[i].meaning) > 0);
		assert_true(strlen(report_columns[i].key) > 0);
		assert_int_equal(strspn(report_columns[i].key, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(report_columns[i].key));
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(report_columns[i].key, report_columns[j].key);
			assert_string_not_equal(report_columns[i].header, report_columns[j].header);
		}
	}
	assert_string_equal(vector_name(6), "#UD");
	assert_string_equal(vector_name(7), "#NM");
	assert_string_equal(vector_name(13), "#GP");
	assert_string_equal(vector_name(14), "#PF");
	assert_null(vector_name(SS_NO_VECTOR));
	assert_null(vector_name(UINT32_MAX));
}

static void hidden(void **state)
{
	char *out;

	(void)state;
	fixture.report.hidden = 1u << COLUMN_EET | 1u << COLUMN_L0;
	out = written(report_csv);
	expect_csv(out, 2, COLUMN_L0, "");
	expect_csv(out, 2, COLUMN_VMM, "0");
	free(out);
}

static void add_violation(uint64_t gpa, uint16_t flags, const char *region, const char *symbol)
{
	struct record_violation record = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(record)},
		.operation = 2, .view = 1, .access = VIEW_WRITE, .gpa = gpa, .gva = gpa + 0x10000000,
		.rip = 0x123456, .answer = VIOLATION_FAULTED, .flags = flags,
	};

	snprintf(record.region, sizeof(record.region), "%s", region);
	snprintf(record.symbol, sizeof(record.symbol), "%s", symbol);
	summary_add(fixture.summary, &record.record);
}

static const char *const views[] = {"kernel", NASTY};

static void name_views(void)
{
	fixture.report.view_names = (const char **)(uintptr_t)views;
	fixture.report.view_count = ARRAY_SIZE(views);
	for (uint32_t i = 0; i < 4; i++)
		fixture.rows[i].number = i + 1;
}

static unsigned lines_with(const char *text, const char *word)
{
	unsigned count = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		count++;
	return count;
}

/* What there is to know of a violation is in every format, and nothing that a name contains breaks one. */
static void violations(void **state)
{
	static const char *const told[] = {"0x55000", "0x10055000", "0x123456", "text+0x1", "faulted",
					   "cr0.ts.mov", "kernel-data"};
	char field[256], *text;

	(void)state;
	name_views();
	text = written(report_text);
	assert_null(strstr(text, "forbids"));
	free(text);
	add_violation(0x55000, VIOLATION_GVA_KNOWN, "kernel-data", "text+0x1");
	add_violation(0x66000, VIOLATION_WALK | VIOLATION_RIP_BEHIND, "", "");
	add_violation(0x77000, 0, NASTY, NASTY);
	text = written(report_text);
	assert_non_null(strstr(text, "3 accesses that a view forbids:"));
	assert_null(strstr(text, "more; report"));
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		assert_non_null(strstr(text, told[i]));
	assert_non_null(strstr(text, "write (page walk)"));
	assert_non_null(strstr(text, "before 0x123456"));
	assert_int_equal(lines_with(text, "not known"), 2);
	assert_int_equal(strcspn(text, "\033"), strlen(text));
	free(text);
	text = written(violations_csv);
	csv_field(text, 1, 2, field, sizeof(field));
	assert_string_equal(field, "kernel-data");
	csv_field(text, 1, 5, field, sizeof(field));
	assert_string_equal(field, "0x10055000");
	csv_field(text, 2, 5, field, sizeof(field));
	assert_string_equal(field, "not known");
	csv_field(text, 3, 9, field, sizeof(field));
	assert_string_equal(field, "cr0.ts.mov");
	assert_int_equal(lines_with(text, "\n"), 4);
	free(text);
}

/* Behind the columns that there were before, so that those keep their places. */
static void instructions_of_violations(void **state)
{
	struct violation_summary *row = fixture.summary->violations;
	const json_t *first, *second;
	char field[256], *text;
	json_t *root;

	(void)state;
	name_views();
	add_violation(0x55000, VIOLATION_GVA_KNOWN, "kernel-data", "text+0x1");
	add_violation(0x66000, VIOLATION_GVA_KNOWN, "kernel-data", "text+0x1");
	text = written(violations_table);
	assert_null(strstr(text, "INSTRUCTION"));
	assert_null(strstr(text, "VALUE"));
	assert_null(strstr(text, "SOURCE"));
	free(text);
	row[0].instruction = (struct record_instruction){
		.value = 0x41, .value_size = 1, .count = 3, .bytes = {0xc6, 0x07, 0x41}};
	snprintf(row[0].source, sizeof(row[0].source), "%s", NASTY);
	/* As a damaged ledger may have it. */
	row[1].instruction = (struct record_instruction){.count = 255, .width = 9};
	text = written(violations_table);
	assert_non_null(strstr(text, "mov byte ptr [rdi], 0x41"));
	assert_non_null(strstr(text, " 0x41 "));
	assert_int_equal(strcspn(text, "\033"), strlen(text));
	free(text);
	text = written(violations_csv);
	csv_field(text, 1, 10, field, sizeof(field));
	assert_string_equal(field, "mov byte ptr [rdi], 0x41");
	csv_field(text, 1, 11, field, sizeof(field));
	assert_string_equal(field, "0x41");
	csv_field(text, 2, 10, field, sizeof(field));
	assert_string_equal(field, "");
	free(text);
	text = written(violations_document);
	root = json_loads(text, 0, NULL);
	first = json_array_get(json_object_get(root, "violations"), 0);
	second = json_array_get(json_object_get(root, "violations"), 1);
	assert_string_equal(json_string_value(json_object_get(first, "value")), "0x41");
	assert_string_equal(json_string_value(json_object_get(first, "source")), NASTY);
	assert_true(json_is_null(json_object_get(second, "instruction")));
	assert_true(json_is_null(json_object_get(second, "value")));
	assert_true(json_is_null(json_object_get(second, "source")));
	json_decref(root);
	free(text);
}

static void violations_as_json(void **state)
{
	const json_t *array, *first, *second;
	json_t *root;
	char *text;

	(void)state;
	name_views();
	add_violation(0x55000, VIOLATION_GVA_KNOWN, "kernel-data", NASTY);
	add_violation(0x66000, VIOLATION_WALK | VIOLATION_RIP_BEHIND, "", "");
	for (int alone = 0; alone < 2; alone++) {
		text = written(alone ? violations_document : report_json);
		root = json_loads(text, 0, NULL);
		assert_non_null(root);
		array = json_object_get(root, "violations");
		assert_int_equal(json_array_size(array), 2);
		first = json_array_get(array, 0);
		second = json_array_get(array, 1);
		assert_string_equal(json_string_value(json_object_get(first, "region")), "kernel-data");
		assert_string_equal(json_string_value(json_object_get(first, "gva")), "0x10055000");
		assert_string_equal(json_string_value(json_object_get(first, "view_name")), NASTY);
		assert_string_equal(json_string_value(json_object_get(first, "answer")), "faulted");
		assert_true(json_is_null(json_object_get(second, "region")));
		assert_string_equal(json_string_value(json_object_get(second, "gva")), "not known");
		assert_true(json_is_true(json_object_get(second, "page_walk")));
		assert_true(json_is_true(json_object_get(second, "rip_behind")));
		json_decref(root);
		free(text);
	}
}

/* Text has room for some, and says how many it leaves out. */
static void many_violations(void **state)
{
	char *text;

	(void)state;
	name_views();
	for (uint64_t i = 0; i < 300; i++)
		add_violation(0x100000 + 0x1000 * i, VIOLATION_GVA_KNOWN, "many", "");
	text = written(report_text);
	assert_int_equal(lines_with(text, " many "), 16);
	assert_non_null(strstr(text, "and 284 more; report --by violation"));
	free(text);
	text = written(violations_table);
	assert_int_equal(lines_with(text, " many "), SUMMARY_VIOLATIONS_MAX);
	assert_non_null(strstr(text, "and 44 more"));
	free(text);
	/* A guest without a catalogue can run into them too. */
	fixture.report.row_count = 0;
	text = written(report_text);
	assert_non_null(strstr(text, "300 accesses that a view forbids:"));
	free(text);
}

/* Of what the guest has marked there are no outcome and no empty loop; ticks are of the time between two marks. */
static void marked_rows(void **state)
{
	struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)}, .operation = 5,
				     .count = 1, .begin = 100, .end = 350, .flags = BATCH_MARKED};
	struct report_row row = {.name = "marked", .number = 5, .vm = REPORT_ALL_VMS};
	struct cell cell;

	(void)state;
	summary_add(fixture.summary, &batch.record);
	row.summary = &fixture.summary->operations[5];
	report_measure(&fixture.report, &row);
	fixture.report.hidden = 0;
	cell = report_cell(&fixture.report, &row, COLUMN_OUTCOME);
	assert_int_equal(cell.state, CELL_ABSENT);
	cell = report_cell(&fixture.report, &row, COLUMN_EET);
	assert_int_equal(cell.state, CELL_ABSENT);
	cell = report_cell(&fixture.report, &row, COLUMN_TICKS_MEDIAN);
	assert_true(cell.state != CELL_ABSENT && row.ticks.median == 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(marked_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(csv, setup, teardown),
		cmocka_unit_test_setup_teardown(tap, setup, teardown),
		cmocka_unit_test_setup_teardown(junit, setup, teardown),
		cmocka_unit_test_setup_teardown(json, setup, teardown),
		cmocka_unit_test_setup_teardown(json_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(text, setup, teardown),
		cmocka_unit_test_setup_teardown(not_observed, setup, teardown),
		cmocka_unit_test_setup_teardown(hidden, setup, teardown),
		cmocka_unit_test(columns),
		cmocka_unit_test_setup_teardown(violations, setup, teardown),
		cmocka_unit_test_setup_teardown(instructions_of_violations, setup, teardown),
		cmocka_unit_test_setup_teardown(violations_as_json, setup, teardown),
		cmocka_unit_test_setup_teardown(many_violations, setup, teardown),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
