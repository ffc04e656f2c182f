/* SPDX-License-Identifier: GPL-2.0-only */
/* What took exits, of ledgers without operations: medians and 99th percentiles are exact, and text has the most
 * frequent rows of every level and says how many more there are. */
#include "tests/unit/cmocka_prelude.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/group_costs.h"
#include "vmm/report/ledger_formats.h"

#define RIP 0x100000

static struct ledger ledger;
static struct ledger_index contents;

static int setup(void **state)
{
	struct error error = {0};

	(void)state;
	if (ledger_create_scratch(&ledger, &error) != 0)
		return -1;
	ledger_append_meta(&ledger, "engine", "vmx");
	ledger_append_meta(&ledger, "backend", "vmx");
	ledger_append_meta(&ledger, "tracing", "off");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_index_close(&contents);
	ledger_close(&ledger);
	return 0;
}

static void add_exit(uint16_t level, uint16_t reason, uint64_t rip, uint32_t cost)
{
	const struct record_exit exit = {.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = level},
					 .rip = rip, .reason = reason, .cost = cost};

	ledger_append(&ledger, &exit.record);
}

static void add_code(uint64_t rip, const char *symbol)
{
	struct record_code code = {.record = {.type = RECORD_CODE, .size = sizeof(code)}, .rip = rip, .count = 1,
				   .bytes = {0xee}};

	snprintf(code.symbol, sizeof(code.symbol), "%s", symbol);
	ledger_append(&ledger, &code.record);
}

static void add_operation(void)
{
	const struct record_operation operation = {.record = {.type = RECORD_OPERATION, .size = sizeof(operation)},
						   .number = 1, .kind = SS_KIND_CPUID, .name = "an.operation"};
	const struct record_batch batch = {.record = {.type = RECORD_BATCH, .size = sizeof(batch)}, .operation = 1,
					   .count = 2};

	ledger_append(&ledger, &operation.record);
	ledger_append(&ledger, &batch.record);
}

static void take_ledger(void)
{
	struct error error = {0};

	if (ledger_index_open_memory(&contents, ledger.header, LEDGER_HEADER_SIZE + ledger.used, "ledger", &error) != 0)
		fail_msg("%s", error.text);
}

#define NAMES_OF_LINUX "\nno name: blocks of 256 bytes; in a Linux guest `cat /proc/kallsyms` as root, then --symbols FILE\n"

static char *written_by(const char *format, enum group_key by)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(ledger_format_write(ledger_format_by_name(format), &contents, by, WEIGHT_EXITS, stream), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static char *written(const char *format)
{
	return written_by(format, GROUP_OPERATION);
}

static void expect(const char *text, const char *wanted)
{
	if (!text || !strstr(text, wanted))
		fail_msg("no '%s' in:\n%s", wanted, text ? text : "");
}

static const struct group *group_at(const struct group_list *list, uint64_t key)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->groups[i].key == key)
			return &list->groups[i];
	fail_msg("no group of %llu", (unsigned long long)key);
	return NULL;
}

static void expect_ranks(const struct group_list *list, uint64_t reason, uint32_t median, uint32_t percentile99,
			 uint32_t maximum)
{
	const struct group *group = group_at(list, reason);

	assert_int_equal(group->maximum, maximum);

	assert_int_equal(group->median, median);
	assert_int_equal(group->percentile99, percentile99);
}

/* Nearest rank: a value that there was, the smallest that so many percent did not exceed. */
static void ranks(void **state)
{
	struct group_list list;

	(void)state;
	/* In no order, and those of one reason among those of the others. */
	for (uint32_t i = 0; i < 200; i++) {
		add_exit(LEVEL_VMM, 1, RIP, 1 + i * 77 % 200);
		if (i < 100)
			add_exit(LEVEL_VMM, 2, RIP, 1 + i * 77 % 100);
		if (i < 101)
			add_exit(LEVEL_VMM, 3, RIP, 1 + i * 77 % 101);
	}
	/* A float would not tell these apart. */
	add_exit(LEVEL_VMM, 4, RIP, UINT32_MAX);
	add_exit(LEVEL_VMM, 4, RIP, UINT32_MAX - 1);
	/* What nobody saw the end of is not a cost of zero. */
	add_exit(LEVEL_VMM, 5, RIP, 0);
	add_exit(LEVEL_VMM, 5, RIP, 70);
	add_exit(LEVEL_VMM, 5, RIP, 0);
	add_exit(LEVEL_VMM, 6, RIP, 0);
	/* Another level is another group. */
	add_exit(LEVEL_MONITOR, 7, RIP, 5);
	add_exit(LEVEL_VMM, 7 + EXIT_REASON_COUNT, RIP, 9);
	take_ledger();
	assert_int_equal(exit_groups_rank(&contents, GROUP_REASON, &list), 0);
	expect_ranks(&list, 1, 100, 198, 200);
	expect_ranks(&list, 2, 50, 99, 100);
	expect_ranks(&list, 3, 51, 100, 101);
	expect_ranks(&list, 4, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX);
	expect_ranks(&list, 5, 70, 70, 70);
	assert_int_equal(group_at(&list, 5)->timed, 1);
	expect_ranks(&list, 6, 0, 0, 0);
	assert_int_equal(group_cell(&list, group_at(&list, 6), GROUP_COLUMN_MEDIAN).state, CELL_NOT_OBSERVED);
	expect_ranks(&list, 7, 5, 5, 5);
	assert_true(group_cell(&list, group_at(&list, 1), GROUP_COLUMN_MEAN).number == 100.5);
	assert_true(group_cell(&list, group_at(&list, 5), GROUP_COLUMN_MEAN).number == 70);
	exit_groups_finish(&list);
}

/* Where a file says something else the second time that it is read, nothing is written past the end. */
static void costs_that_change(void **state)
{
	struct group_costs costs;

	(void)state;
	assert_int_equal(group_costs_create(&costs, 2, 3), 0);
	group_costs_room(&costs, 1);
	group_costs_room(&costs, 2);
	for (uint32_t cost = 0; cost < 50; cost++)
		group_costs_add(&costs, 0, cost);
	assert_int_equal(group_costs_percentile(&costs, 0, 50), 1);
	assert_int_equal(group_costs_percentile(&costs, 0, 99), 1);
	assert_int_equal(group_costs_percentile(&costs, 1, 50), 0);
	group_costs_finish(&costs);
}

static size_t rows_with(const char *text, const char *words)
{
	size_t count = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		count++;
	return count;
}

/* Many exits at the monitor, few at the VMM: both levels have their rows. */
static void most_frequent(void **state)
{
	char *text;

	(void)state;
	for (uint64_t place = 0; place < 20; place++) {
		for (uint64_t i = 0; i < 50 + place; i++)
			add_exit(LEVEL_MONITOR, 10, RIP + place, 100);
		if (place < 13)
			add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP + place, 7);
	}
	add_code(RIP + 19, "often");
	take_ledger();
	text = written("text");
	assert_int_equal(rows_with(text, " monitor "), 12 + 2 + 1);
	assert_int_equal(rows_with(text, " vmm "), 12 + 1 + 1);
	expect(text, "and 8 more at monitor, 1 more at vmm; report --by rip has all\n");
	assert_int_equal(rows_with(text, " more at "), 2);
	expect(text, "often");
	/* The least frequent one that is shown, and the first that is not. */
	expect(text, "0x100008");
	expect(text, "0x100007 0x100007  ?           vmm ");
	assert_null(strstr(text, "0x100007 0x100007  ?           monitor"));
	assert_null(strstr(text, "do not say how long"));
	/* They come before anything else that there is to say. */
	assert_true(strstr(text, "reason ") < strstr(text, "symbol "));
	assert_true(strstr(text, "symbol ") < strstr(text, "rip "));
	assert_true(strstr(text, "rip ") < strstr(text, "no operation of a catalogue"));
	free(text);
}

static void not_observed(void **state)
{
	char *text;

	(void)state;
	add_exit(LEVEL_MONITOR, 10, RIP, 0);
	add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP, 0);
	add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP, 40);
	take_ledger();
	text = written("text");
	/* Once in a row, by the first column that would have it. */
	expect(text, "monitor     1 100.0 not observed      -    -    -     -\n");
	expect(text, "vmm         2 100.0         40.0   40.0 40.0 40.0    40\n");
	expect(text, "\nl0: not observed one by one");
	expect(text, "ticks: of 1 of the 3 exits; the others do not say how long they took\n");
	free(text);
	text = written("json");
	expect(text, "\"ticks_median\": \"not observed\"");
	free(text);
}

static void nothing_recorded(void **state)
{
	char *text;

	(void)state;
	take_ledger();
	text = written("text");
	expect(text, "\n\nno operation of a catalogue was performed; exits that left a record:\n");
	assert_null(strstr(text, "share"));
	free(text);
}

static json_t *document(void)
{
	char *text = written("json");
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

static void json(void **state)
{
	static const struct {
		const char *member;
		size_t rows;
	} members[] = {{"exits_by_reason", 1}, {"exits_by_symbol", 2}, {"exits_by_rip", 40}};
	static const char *const keys[] = {"level", "exits", "share", "timed", "handling_ticks", "ticks_mean",
					   "ticks_median", "ticks_p99", "ticks_max"};
	json_t *root, *row;

	(void)state;
	for (uint64_t place = 0; place < 40; place++)
		for (uint32_t i = 0; i <= place; i++)
			add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP + place, 10 + i);
	add_code(RIP + 39, "f");
	take_ledger();
	root = document();
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *rows = json_object_get(root, members[i].member);

		assert_int_equal(json_array_size(rows), members[i].rows);
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			assert_non_null(json_object_get(json_array_get(rows, 0), keys[k]));
	}
	row = json_array_get(json_object_get(root, "exits_by_rip"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "rip")), "0x100027");
	assert_string_equal(json_string_value(json_object_get(row, "at")), "f+0x0");
	assert_int_equal(json_integer_value(json_object_get(row, "exits")), 40);
	assert_true(json_real_value(json_object_get(row, "ticks_median")) == 29);
	assert_true(json_real_value(json_object_get(row, "ticks_p99")) == 49);
	assert_true(json_real_value(json_object_get(row, "ticks_max")) == 49);
	json_decref(root);
}

static json_t *groups(enum group_key by)
{
	char *text = written_by("json", by);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

/* So many exits by that name at a level. */
static void expect_group(json_t *root, const char *by, const char *name, const char *level, json_int_t exits)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(root, "exits"), i, row)
		if (strcmp(json_string_value(json_object_get(row, by)), name) == 0 &&
		    strcmp(json_string_value(json_object_get(row, "level")), level) == 0) {
			assert_int_equal(json_integer_value(json_object_get(row, "exits")), exits);
			return;
		}
	fail_msg("no %s %s at %s", by, name, level);
}

/* A function that is not known is where it is, not one with all others that are not. */
static void neighbourhoods(void **state)
{
	static const uint64_t unknown[] = {0xffffffff81234500, 0xffffffff812345ff, 0xffffffff81234600, 0x100, 0x1ff};
	json_t *root;
	char *text;

	(void)state;
	/* As many functions as there could be neighbourhoods by their numbers. */
	for (uint64_t i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%03d", (int)i);
		add_code(RIP + i, name);
		add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP + i, 5);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		add_exit(LEVEL_VMM, EXIT_REASON_IO, unknown[i], 5);
	add_code(RIP + 300, "");
	add_exit(LEVEL_MONITOR, 10, RIP + 300, 5);
	/* Nobody knew where that was. */
	add_exit(LEVEL_VMM, EXIT_REASON_IO, 0, 5);
	take_ledger();
	root = groups(GROUP_SYMBOL);
	assert_int_equal(json_array_size(json_object_get(root, "exits")), 305);
	expect_group(root, "symbol", "0xffffffff81234000+0x500", "vmm", 2);
	expect_group(root, "symbol", "0xffffffff81234000+0x600", "vmm", 1);
	expect_group(root, "symbol", "0x0+0x100", "vmm", 2);
	expect_group(root, "symbol", "0x100000+0x100", "monitor", 1);
	expect_group(root, "symbol", "?", "vmm", 1);
	expect_group(root, "symbol", "f128", "vmm", 1);
	expect_group(root, "symbol", "f299", "vmm", 1);
	json_decref(root);
	text = written("text");
	assert_int_equal(rows_with(text, NAMES_OF_LINUX), 1);
	free(text);
	text = written_by("text", GROUP_SYMBOL);
	assert_int_equal(rows_with(text, NAMES_OF_LINUX), 1);
	free(text);
	text = written_by("text", GROUP_RIP);
	assert_null(strstr(text, NAMES_OF_LINUX));
	free(text);
}

/* How code gets names is of no interest where all has one, or nobody knows where it was. */
static void all_named(void **state)
{
	char *text;

	(void)state;
	add_code(RIP, "f");
	add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP, 5);
	add_exit(LEVEL_VMM, EXIT_REASON_IO, 0, 5);
	take_ledger();
	text = written_by("text", GROUP_SYMBOL);
	assert_null(strstr(text, NAMES_OF_LINUX));
	free(text);
}

static void add_exit_of(uint8_t vm, uint8_t vcpu)
{
	const struct record_exit exit = {.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = LEVEL_VMM,
						    .vm = vm, .vcpu = vcpu},
					 .rip = RIP, .reason = EXIT_REASON_IO, .cost = 5};

	ledger_append(&ledger, &exit.record);
}

/* Of two vCPUs, and how many exits each has. */
static void expect_vcpus(const char *one, json_int_t exits, const char *other, json_int_t more)
{
	json_t *root;

	take_ledger();
	root = groups(GROUP_VCPU);
	expect_group(root, "vcpu", one, "vmm", exits);
	expect_group(root, "vcpu", other, "vmm", more);
	json_decref(root);
}

static void vcpus(void **state)
{
	(void)state;
	add_exit_of(0, 0);
	add_exit_of(0, 3);
	add_exit_of(0, 3);
	expect_vcpus("0", 1, "3", 2);
	ledger_index_close(&contents);
	add_exit_of(7, 3);
	expect_vcpus("0:3", 2, "7:3", 1);
}

/* One place is one instruction to every kind of exit there, and another kind may be of the one before. */
static void instructions(void **state)
{
	struct record_code code = {.record = {.type = RECORD_CODE, .size = sizeof(code)}, .rip = RIP, .before = 3,
				   .count = 5, .bytes = {0x90, 0xe6, 0x80, 0xe4, 0x80}}; /* NOP, OUT, IN */
	struct record_exit exit = {.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = LEVEL_VMM},
				   .rip = RIP, .reason = EXIT_REASON_IO, .cost = 5};
	json_t *root;

	(void)state;
	ledger_append(&ledger, &code.record);
	for (unsigned i = 0; i < 7; i++) {
		exit.detail = i % 2 ? 1 : 1 | 0x100;
		ledger_append(&ledger, &exit.record);
	}
	add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP + 0x1000, 5);
	take_ledger();
	root = groups(GROUP_INSTRUCTION);
	expect_group(root, "instruction", "out", "vmm", 4);
	expect_group(root, "instruction", "in", "vmm", 3);
	expect_group(root, "instruction", "?", "vmm", 1);
	assert_int_equal(json_array_size(json_object_get(root, "exits")), 3);
	json_decref(root);
}

/* With operations a report is what it was, and has no such rows. */
static void with_operations(void **state)
{
	json_t *root;
	char *text;

	(void)state;
	add_operation();
	add_exit(LEVEL_VMM, EXIT_REASON_IO, RIP, 40);
	take_ledger();
	text = written("text");
	expect(text, "an.operation");
	assert_null(strstr(text, "reason "));
	free(text);
	root = document();
	assert_true(json_is_null(json_object_get(root, "exits_by_reason")));
	assert_true(json_is_null(json_object_get(root, "exits_by_rip")));
	json_decref(root);
}

/* Of a run nothing is at hand but what was counted. */
static void hint(void **state)
{
	static const char words[] = "--ledger FILE keeps them, and sidestep report FILE shows them by reason";
	char *text;

	(void)state;
	take_ledger();
	text = written("text");
	assert_null(strstr(text, words));
	free(text);
	contents.report.of_ledger = false;
	text = written("text");
	expect(text, words);
	free(text);
	contents.report.ledger = "a\nledger";
	text = written("text");
	assert_null(strstr(text, words));
	expect(text, "\nsidestep report a\\x0aledger shows them by reason");
	free(text);
}

/* Levels that there are not, as only a damaged ledger has them: those of one are not more than those of all. */
static void odd_levels(void **state)
{
	char *text;

	(void)state;
	add_code(RIP, "put");
	for (uint16_t level = 100; level < 140; level++)
		add_exit(level, 1, RIP, 5);
	take_ledger();
	text = written("text");
	assert_int_equal(rows_with(text, "and 28 more at ?; report --by "), 3);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranks, setup, teardown),
		cmocka_unit_test(costs_that_change),
		cmocka_unit_test_setup_teardown(most_frequent, setup, teardown),
		cmocka_unit_test_setup_teardown(not_observed, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(json, setup, teardown),
		cmocka_unit_test_setup_teardown(neighbourhoods, setup, teardown),
		cmocka_unit_test_setup_teardown(all_named, setup, teardown),
		cmocka_unit_test_setup_teardown(vcpus, setup, teardown),
		cmocka_unit_test_setup_teardown(instructions, setup, teardown),
		cmocka_unit_test_setup_teardown(with_operations, setup, teardown),
		cmocka_unit_test_setup_teardown(hint, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_levels, setup, teardown),
	};

	return cmocka_run_group_tests_name("report exits", tests, NULL, NULL);
}
