/* SPDX-License-Identifier: GPL-2.0-only */
/* Every type and state of a cell in each format, and which columns and rows a format has. */
#include "tests/unit/cmocka_prelude.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/table/table.h"

/* Nothing of it is for a terminal, and it is UTF-8. */
#define STRANGE "=f\033[3m,\"\\\xc3\xa4"
#define STRANGE_PLAIN "=f\\x1b[3m,\"\\\\xc3\\xa4"

static const struct kind {
	const char *key;
	struct cell cell;
	const char *text, *csv, *json;
} kinds[] = {
	{"absent", {.state = CELL_ABSENT}, "-", "", "null"},
	{"unseen", {.state = CELL_NOT_OBSERVED, .type = CELL_COUNT}, "not observed", "not observed",
	 "\"not observed\""},
	{"own", {.state = CELL_OBSERVED, .text = "a,b"}, "a,b", "\"a,b\"", "\"a,b\""},
	{"kept", {.state = CELL_OBSERVED, .buffer = "kept"}, "kept", "kept", "\"kept\""},
	{"foreign", {.state = CELL_OBSERVED, .foreign = true, .text = STRANGE}, STRANGE_PLAIN,
	 "\"'=f\\x1b[3m,\"\"\\\\xc3\\xa4\"", "\"=f\\u001B[3m,\\\"\\\\\\u00E4\""},
	{"none", {.state = CELL_OBSERVED, .type = CELL_COUNT}, "0", "0", "0"},
	{"count", {.state = CELL_OBSERVED, .type = CELL_COUNT, .count = 12}, "12", "12", "12"},
	{"most", {.state = CELL_OBSERVED, .type = CELL_COUNT, .count = UINT64_MAX}, "18446744073709551615",
	 "18446744073709551615", "9223372036854775807"},
	{"page", {.state = CELL_OBSERVED, .type = CELL_BYTES, .count = 4096}, "4K", "4096", "4096"},
	{"pages", {.state = CELL_OBSERVED, .type = CELL_BYTES, .count = 16388 << 10}, "16388K", "16781312", "16781312"},
	{"large", {.state = CELL_OBSERVED, .type = CELL_BYTES, .count = UINT64_C(3) << 40}, "3072G", "3298534883328",
	 "3298534883328"},
	{"nothing", {.state = CELL_OBSERVED, .type = CELL_BYTES}, "0K", "0", "0"},
	{"address", {.state = CELL_OBSERVED, .type = CELL_ADDRESS, .count = 0xfee00000}, "0xfee00000", "0xfee00000",
	 "\"0xfee00000\""},
	{"no", {.state = CELL_OBSERVED, .type = CELL_TRUTH}, "0", "0", "false"},
	{"yes", {.state = CELL_OBSERVED, .type = CELL_TRUTH, .count = 1}, "1", "1", "true"},
	{"ticks", {.state = CELL_OBSERVED, .type = CELL_TICKS, .number = 33.25}, "33.2", "33.2", "33.25"},
	{"share", {.state = CELL_OBSERVED, .type = CELL_SHARE, .number = 0.01}, "<0.1", "0.01", "0.01"},
	{"rate", {.state = CELL_OBSERVED, .type = CELL_RATE, .estimated = true, .number = 2.5}, "~2.5", "2.5", "2.5"},
	{"seconds", {.state = CELL_OBSERVED, .type = CELL_SECONDS, .number = 0.25}, "0.250", "0.250", "0.25"},
	{"number", {.state = CELL_OBSERVED, .type = CELL_NUMBER, .number = 7.5}, "8", "7.5", "7.5"},
	{"change", {.state = CELL_OBSERVED, .type = CELL_CHANGE, .number = -12.5}, "-12.5%", "-12.50", "-12.5"},
};

static struct cell kind_cell(const void *data, size_t row, size_t column)
{
	(void)data;
	return column == 0 ? cell_of_text(kinds[row].key) : kinds[row].cell;
}

static const struct table_column kind_columns[] = {
	TABLE_PLAIN("KIND", "kind", TABLE_LEFT), TABLE_PLAIN("VALUE", "value", TABLE_RIGHT)};

static char *written(const struct table *table, int (*write)(const struct table *table, FILE *stream))
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(write(table, stream), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static int json(const struct table *table, FILE *stream)
{
	json_t *array = table_json(table);
	int rc = json_dumpf(array, stream, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10));

	json_decref(array);
	return rc;
}

static void expect_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static void cells(void **state)
{
	const struct table table = {kind_columns, ARRAY_SIZE(kind_columns), ARRAY_SIZE(kinds), kind_cell, NULL,
				    .fit = true};
	char *text = written(&table, table_text), *csv = written(&table, table_csv), *array = written(&table, json);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char line[200];

		snprintf(line, sizeof(line), "\n%-8s%20s\n", kinds[i].key, kinds[i].text);
		expect_line(text, line);
		snprintf(line, sizeof(line), "\n%s,%s\n", kinds[i].key, kinds[i].csv);
		expect_line(csv, line);
		snprintf(line, sizeof(line), "{\"kind\":\"%s\",\"value\":%s}", kinds[i].key, kinds[i].json);
		expect_line(array, line);
	}
	free(text);
	free(csv);
	free(array);
}

/* Row and column as a number, in row 1 only where that of the column is odd. `data`: the first row. */
static struct cell number_cell(const void *data, size_t row, size_t column)
{
	row += *(const size_t *)data;
	return row == 1 && column % 2 == 0 ? cell_of_text(NULL) : cell_of_count(true, 10 * row + column);
}

static bool is_first(const void *data, size_t row)
{
	(void)data;
	return row == 0;
}

static void expect_all(const struct table *table, const char *text, const char *csv, const char *array)
{
	char *out[] = {written(table, table_text), written(table, table_csv), written(table, json)};
	const char *const wanted[] = {text, csv, array};

	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		assert_string_equal(out[i], wanted[i]);
		free(out[i]);
	}
}

static void columns(void **state)
{
	static const struct table_column some[] = {
		TABLE_PLAIN("A", "a", TABLE_RIGHT | TABLE_OPTIONAL), TABLE_PLAIN("B", "b", TABLE_NO_TEXT),
		TABLE_PLAIN("C", "c", TABLE_ONLY_TEXT),              TABLE_PLAIN("D", "d", TABLE_ONLY_CSV),
		TABLE_PLAIN("E", "e", TABLE_ONLY_JSON),              TABLE_PLAIN("F", "f", TABLE_NOWHERE),
	};
	size_t first = 0;
	struct table table = {some, ARRAY_SIZE(some), 2, number_cell, &first, .fit = false};

	(void)state;
	expect_all(&table, "A C\n0 2\n- -\n", "a,b,d\n0,1,3\n,11,13\n",
		   "[{\"a\":0,\"b\":1,\"e\":4},{\"a\":null,\"b\":11,\"e\":null}]");
	/* Left out in text only, and a column that is in use in a row that is left out stays. */
	table.left_out = is_first;
	expect_all(&table, "A C\n- -\n", "a,b,d\n0,1,3\n,11,13\n",
		   "[{\"a\":0,\"b\":1,\"e\":4},{\"a\":null,\"b\":11,\"e\":null}]");
	table.left_out = NULL;
	table.row_count = first = 1;
	expect_all(&table, "C\n-\n", "a,b,d\n,11,13\n", "[{\"a\":null,\"b\":11,\"e\":null}]");
	table.row_count = 0;
	expect_all(&table, "", "a,b,d\n", "[]");
}

static const char *red(const void *data, size_t row)
{
	(void)data;
	(void)row;
	return "red";
}

/* What a table sends to a terminal. */
static void shown(const struct table *table, char text[500])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	FILE *stream;
	size_t got = 0;
	ssize_t n;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0)
		skip();
	stream = fdopen(slave, "w");
	assert_int_equal(table_text(table, stream), 0);
	fclose(stream);
	/* In as many parts as the terminal makes of it, until nobody writes there any more. */
	while ((n = read(master, text + got, 499 - got)) > 0)
		got += (size_t)n;
	text[got] = '\0';
	close(master);
}

/* Colours are for terminals that obey, of people who have not said that they want none. */
static void colours(void **state)
{
	static const struct {
		const char *term, *no_color;
		bool wanted;
	} cases[] = {
		{"xterm", NULL, true}, {"xterm", "", true},   {"xterm", "1", false}, {"dumb", NULL, false},
		{"", NULL, false},     {NULL, NULL, false},
	};
	const struct table table = {kind_columns, ARRAY_SIZE(kind_columns), 1, kind_cell, NULL, .colour = red};
	char text[500];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsetenv("TERM");
		unsetenv("NO_COLOR");
		if (cases[i].term)
			setenv("TERM", cases[i].term, 1);
		if (cases[i].no_color)
			setenv("NO_COLOR", cases[i].no_color, 1);
		shown(&table, text);
		assert_int_equal(strchr(text, '\033') != NULL, cases[i].wanted);
		assert_non_null(strstr(text, kinds[0].key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cells), cmocka_unit_test(columns),
					    cmocka_unit_test(colours)};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
