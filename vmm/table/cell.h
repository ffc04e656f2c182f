/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One value of any table that is written, and how it reads in each format. Nothing else decides how a value
 * looks that nobody was there to see: it is "not observed" everywhere, and never a number.
 */
#ifndef VMM_TABLE_CELL_H
#define VMM_TABLE_CELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NOT_OBSERVED "not observed"

enum cell_state {
	CELL_ABSENT,       /* does not apply: "-", an empty field, null */
	CELL_NOT_OBSERVED, /* nothing that would have seen it was looking */
	CELL_OBSERVED,
};

enum cell_type {
	CELL_TEXT,
	/* In `count`: */
	CELL_COUNT,   /* how often, exactly */
	CELL_BYTES,   /* whole pages; people see the largest unit that leaves a whole number */
	CELL_ADDRESS, /* 64-bit values do not survive every reader's numbers: a text in hexadecimal */
	CELL_TRUTH,   /* 0 or 1, in JSON false or true */
	/* In `number`: */
	CELL_TICKS,   /* ticks, and ratios of them */
	CELL_SHARE,   /* percent */
	CELL_RATE,    /* a second */
	CELL_SECONDS, /* to the millisecond */
	CELL_NUMBER,  /* anything else, without decimals for people */
	CELL_CHANGE,  /* percent, more or less; infinite: from 0 */
};

#define CELL_TEXT_SIZE 280

struct cell {
	enum cell_state state;
	enum cell_type type;
	bool estimated;   /* people see a "~" in front */
	bool foreign;     /* a text that may hold anything; only JSON can take it as it is */
	const char *text; /* NULL: it is in `buffer` */
	uint64_t count;
	double number;
	char buffer[CELL_TEXT_SIZE];
};

/* A text that lives as long as the cell; NULL: absent. */
struct cell cell_of_text(const char *text);
/* The same of a guest or of a foreign ledger (printable.h); absent if it is empty. */
struct cell cell_of_foreign(const char *text);
__attribute__((format(printf, 1, 2))) struct cell cell_of_format(const char *format, ...);
/* A value of one of the types that have theirs in `count`. */
struct cell cell_of_value(enum cell_type type, uint64_t value);
/* Where `observed` is false the number is of no matter. */
struct cell cell_of_count(bool observed, uint64_t count);
struct cell cell_of_number(enum cell_type type, bool observed, double number);
struct cell cell_not_observed(enum cell_type type);

/* Both absent, both not observed, or the same value. */
bool cell_equal(const struct cell *a, const struct cell *b);

/* A number to compare with others, of an observed cell. */
double cell_value(const struct cell *cell);

/* For people. The text is the cell's own or in `buffer`. */
const char *cell_plain(const struct cell *cell, char buffer[CELL_TEXT_SIZE]);

/*
 * A field of RFC 4180. What a spreadsheet would take for a formula, a text that begins with one of = + - @, a tab
 * or a carriage return, gets a ' in front, which makes it a text there; numbers stay numbers.
 */
void cell_csv(FILE *stream, const struct cell *cell);

/* NULL if memory is short. */
json_t *cell_json(const struct cell *cell);

#endif
