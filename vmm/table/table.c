/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/table/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/libraries.h"
#include "vmm/base/stream.h"

#define WHOLE_LINE 4000

int table_prepare(const char *format, struct error *error)
{
	int rc = 0;

	if (strcmp(format, "text") == 0)
		rc = library_open(LIBRARY_smartcols, error);
	if (strcmp(format, "json") == 0)
		rc = library_open(LIBRARY_jansson, error);
	if (rc == 0 && strcmp(format, "json") == 0)
		json_object_seed(0); /* by /dev/urandom */
	return rc;
}

/* https://no-color.org */
static bool colours_wanted(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	return stream_is_screen(stream_fd(stream)) && (!no_color || no_color[0] == '\0');
}

static bool text_has(const struct table *table, size_t column)
{
	unsigned flags = table->columns[column].flags;

	if (flags & TABLE_NO_TEXT || !(flags & (TABLE_OPTIONAL | TABLE_BESIDE)))
		return !(flags & TABLE_NO_TEXT);
	for (size_t row = 0; row < table->row_count; row++) {
		const enum cell_state state = table->cell(table->data, row, column).state;

		if (state == CELL_OBSERVED || (state != CELL_ABSENT && flags & TABLE_OPTIONAL))
			return true;
	}
	return false;
}

/* Adds the columns of text; their numbers go to `shown`. */
static int add_columns(const struct table *table, struct libscols_table *text, size_t *shown, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];

		if (!text_has(table, i))
			continue;
		if (!scols_table_new_column(text, column->header, 0, column->flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
		shown[(*ret_count)++] = i;
	}
	return 0;
}

static int add_row(const struct table *table, size_t row, struct libscols_table *text, const size_t *shown,
		   size_t count)
{
	struct libscols_line *line = scols_table_new_line(text, NULL);

	if (!line)
		return -ENOMEM;
	if (table->colour)
		scols_line_set_color(line, table->colour(table->data, row));
	for (size_t i = 0; i < count; i++) {
		const struct cell cell = table->cell(table->data, row, shown[i]);
		char buffer[CELL_TEXT_SIZE];

		if (scols_line_set_data(line, i, cell_plain(&cell, buffer)) != 0)
			return -ENOMEM;
	}
	return 0;
}

int table_text(const struct table *table, FILE *stream)
{
	struct libscols_table *text = scols_new_table();
	size_t *shown = calloc(table->column_count, sizeof(*shown)), count = 0;
	int rc = text && shown ? 0 : -ENOMEM;

	if (rc == 0) {
		scols_table_set_stream(text, stream);
		/* cell_plain() has made visible what is not printable; the library would do it to that again. */
		scols_table_enable_noencoding(text, 1);
		scols_table_enable_colors(text, table->colour && colours_wanted(stream));
		if (!table->fit || !isatty(stream_fd(stream)))
			scols_table_set_termwidth(text, WHOLE_LINE);
		rc = add_columns(table, text, shown, &count);
	}
	for (size_t row = 0; rc == 0 && row < table->row_count; row++)
		if (!table->left_out || !table->left_out(table->data, row))
			rc = add_row(table, row, text, shown, count);
	if (rc == 0 && scols_print_table(text) != 0)
		rc = -ENOMEM;
	scols_unref_table(text);
	free(shown);
	return rc;
}

void table_csv_keys(const struct table *table, FILE *stream)
{
	const char *comma = "";

	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].flags & TABLE_NO_CSV)
			continue;
		fprintf(stream, "%s%s", comma, table->columns[i].key);
		comma = ",";
	}
	fputs("\n", stream);
}

void table_csv_rows(const struct table *table, FILE *stream)
{
	for (size_t row = 0; row < table->row_count; row++) {
		const char *comma = "";

		for (size_t i = 0; i < table->column_count; i++) {
			struct cell cell;

			if (table->columns[i].flags & TABLE_NO_CSV)
				continue;
			cell = table->cell(table->data, row, i);
			fputs(comma, stream);
			cell_csv(stream, &cell);
			comma = ",";
		}
		fputs("\n", stream);
	}
}

int table_csv(const struct table *table, FILE *stream)
{
	table_csv_keys(table, stream);
	table_csv_rows(table, stream);
	return 0;
}

static json_t *row_json(const struct table *table, size_t row)
{
	json_t *object = json_object();

	for (size_t i = 0; i < table->column_count; i++) {
		struct cell cell;

		if (table->columns[i].flags & TABLE_NO_JSON)
			continue;
		cell = table->cell(table->data, row, i);
		json_object_set_new(object, table->columns[i].key, cell_json(&cell));
	}
	return object;
}

json_t *table_json(const struct table *table)
{
	json_t *array = json_array();

	for (size_t row = 0; row < table->row_count; row++)
		json_array_append_new(array, row_json(table, row));
	return array;
}
