/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as people read them, and texts as a spreadsheet may. */
#include "tests/unit/cmocka_prelude.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/table/cell.h"

static const char *plain(struct cell cell)
{
	static char buffer[CELL_TEXT_SIZE];
	const char *text = cell_plain(&cell, buffer);

	return text == buffer ? buffer : strcpy(buffer, text);
}

static void cells(void **state)
{
	static const struct {
		enum cell_type type;
		double number;
		const char *wanted;
	} rows[] = {
		{CELL_TICKS, 0, "0.0"},       {CELL_TICKS, 5, "5.0"},
		{CELL_TICKS, 99.94, "99.9"},  {CELL_TICKS, 99.96, "100"},
		{CELL_TICKS, -3.25, "-3.2"},  {CELL_TICKS, 1234.5, "1234"},
		{CELL_TICKS, 1e9, "1000000000"},
		{CELL_SHARE, 0, "0.0"},       {CELL_SHARE, 0.01, "<0.1"},
		{CELL_SHARE, 0.06, "0.1"},    {CELL_SHARE, 99.94, "99.9"},
		{CELL_SHARE, 99.96, ">99.9"}, {CELL_SHARE, 100, "100.0"},
		{CELL_CHANGE, 12.34, "+12.3%"}, {CELL_CHANGE, (double)INFINITY, "from 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(plain(cell_of_number(rows[i].type, true, rows[i].number)),
				    rows[i].wanted);
		assert_string_equal(plain(cell_of_number(rows[i].type, false, rows[i].number)),
				    "not observed");
	}
	assert_string_equal(plain(cell_of_count(true, UINT64_MAX)), "18446744073709551615");
	assert_string_equal(plain(cell_of_count(false, 7)), "not observed");
	assert_string_equal(plain(cell_of_text(NULL)), "-");
}

static char *csv_of(struct cell cell)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	cell_csv(stream, &cell);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* What a spreadsheet would execute is a text there; a number is a number, whatever its sign. */
static void formulas(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"=1+1", "'=1+1"},         {"+x", "'+x"},          {"-x", "'-x"},
		{"@sum(a1)", "'@sum(a1)"}, {"\t=x", "'\t=x"},      {"\r=x", "\"'\r=x\""},
		{"=a,\"b\"", "\"'=a,\"\"b\"\"\""}, {"a=b", "a=b"},       {"", ""},
		{"-", "-"},                {"a\n=b", "\"a\n=b\""},
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		text = csv_of(cell_of_text(rows[i].text));
		assert_string_equal(text, rows[i].wanted);
		free(text);
	}
	text = csv_of(cell_of_number(CELL_TICKS, true, -3.25));
	assert_string_equal(text, "-3.2");
	free(text);
	text = csv_of(cell_of_number(CELL_CHANGE, true, -12.5));
	assert_string_equal(text, "-12.50");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells),
		cmocka_unit_test(formulas),
	};

	return cmocka_run_group_tests_name("cell", tests, NULL, NULL);
}
