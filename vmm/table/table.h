/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables. Who has one says what its columns are and what is in a cell; what that looks like in a format is decided
 * here and in cell.h, and nowhere else.
 */
#ifndef VMM_TABLE_TABLE_H
#define VMM_TABLE_TABLE_H

#include "vmm/base/error.h"
#include "vmm/table/cell.h"

/* How text has a column, and what has it not. */
enum {
	TABLE_LEFT = 0,
	TABLE_RIGHT = 1,
	TABLE_OPTIONAL = 2, /* text leaves it out if no row has anything to say there */
	TABLE_NO_TEXT = 4,
	TABLE_BESIDE = 32, /* text leaves it out if nothing in it was observed: the column that it goes with says so */
	TABLE_NO_CSV = 8,
	TABLE_NO_JSON = 16,
	TABLE_NOWHERE = TABLE_NO_TEXT | TABLE_NO_CSV | TABLE_NO_JSON,
	TABLE_ONLY_TEXT = TABLE_NO_CSV | TABLE_NO_JSON,
	TABLE_ONLY_CSV = TABLE_NO_TEXT | TABLE_NO_JSON,
	TABLE_ONLY_JSON = TABLE_NO_TEXT | TABLE_NO_CSV,
};

struct table_column {
	const char *header; /* for people */
	const char *key;    /* in CSV and JSON */
	unsigned flags;
	const char *meaning;
};

/* What a line COLUMN(id, "HEADER", key, flags, "meaning") of a .def file becomes in an array of columns. */
#define TABLE_COLUMN(id, header, key, flags, meaning) {header, #key, flags, meaning},

/* The same without a line for the documents. */
#define TABLE_PLAIN(header, key, flags) {header, key, flags, NULL}

struct table {
	const struct table_column *columns;
	size_t column_count, row_count;
	struct cell (*cell)(const void *data, size_t row, size_t column);
	const void *data;
	/* For text; either may be NULL: whether it leaves out a row, and in which colour a terminal has it, NULL for
	 * none. */
	bool (*left_out)(const void *data, size_t row);
	const char *(*colour)(const void *data, size_t row);
	bool fit; /* a terminal cuts lines of text; for a program or a file they are whole in any case */
};

/* Before a process is sealed that will write in this format, or it could not load the library that this takes. Returns 0 or
 * a negative errno, with the reason in `error`. */
int table_prepare(const char *format, struct error *error);

/* Text, all of it at once. Returns 0 or -ENOMEM. */
int table_text(const struct table *table, FILE *stream);

/* The line with the keys, and a line for each row. */
void table_csv_keys(const struct table *table, FILE *stream);
void table_csv_rows(const struct table *table, FILE *stream);

/* Both. Returns 0. */
int table_csv(const struct table *table, FILE *stream);

/* An array with an object for each row; NULL or incomplete if memory is short. */
json_t *table_json(const struct table *table);

#endif
