/* SPDX-License-Identifier: GPL-2.0-only */
/* What changed from one ledger to another: operation by operation, or by what else exits are counted by. */
#ifndef VMM_ANALYSIS_DIFF_H
#define VMM_ANALYSIS_DIFF_H

#include "vmm/analysis/exit_groups.h"
#include "vmm/analysis/ledger_index.h"
#include "vmm/base/error.h"

/* What makes a row differ: CHANGE(NAME, key). The first that applies. */
#define DIFF_CHANGES(X)                                                                            \
	X(NONE, "none")                                                                            \
	X(ONLY_A, "only_a")                                                                        \
	X(ONLY_B, "only_b")                                                                        \
	X(EXITS, "exits")                                                                          \
	X(COST, "cost")                                                                            \
	X(NOT_COMPARED, "not_compared") /* nothing was observed on both sides */

enum diff_change {
#define X(name, key) DIFF_##name,
	DIFF_CHANGES(X)
#undef X
	DIFF_CHANGE_COUNT
};

extern const char *const diff_change_keys[DIFF_CHANGE_COUNT];

/* How much rows may differ, in percent of what is in A: each, but for those whose name a shell pattern matches; of several
 * that do the last one counts. */
#define DIFF_LIMITS_MAX 64
struct diff_limits {
	double percent;
	struct diff_limit {
		const char *pattern; /* so many characters of it */
		int length;
		double percent;
	} rows[DIFF_LIMITS_MAX];
	unsigned count;
};

/* Takes PERCENT or PATTERN=PERCENT, as an option was given it; it is not copied. Returns 0 or a negative errno with the
 * reason in `error`. */
int diff_limits_add(struct diff_limits *limits, const char *option, const char *text, struct error *error);

/* The columns that are compared, by operation and by anything else. Those of exits may differ by one limit, 0 mostly, where
 * both have a number; the last one by the other. */
#define DIFF_COLUMNS 5
#define DIFF_NAMES 2

struct diff_row {
	const struct report_row *row[2]; /* of A and B, by operation; NULL where it is not in */
	const struct group *group[2];    /* the same by anything else */
	bool differs[DIFF_COLUMNS];
	double exits_limit, ticks_limit; /* percent */
	enum diff_change change;
};

struct diff;

/* By what ledgers are compared: makes the rows, and says what is in them. */
struct diff_kind {
	int (*make)(struct diff *diff); /* returns 0 or -ENOMEM */
	struct cell (*name)(const struct diff *diff, const struct diff_row *row, size_t i);
	struct cell (*cell)(const struct diff *diff, const struct diff_row *row, int side, size_t column);
};

struct diff {
	struct ledger_index *contents[2];
	enum group_key by;
	const struct diff_kind *kind;
	const char *ledgers[2]; /* their names; NULL: none */
	const struct diff_limits *exits_limits, *ticks_limits; /* NULL: nothing may differ */
	bool exits_only; /* the last column does not count */
	struct table_column names[DIFF_NAMES]; /* what a row is of */
	size_t name_count;
	struct table_column columns[DIFF_COLUMNS];
	size_t column_count;
	struct group_list groups[2];
	struct diff_row *rows; /* those of A, then those only in B */
	size_t row_count, compared;
	size_t changes[DIFF_CHANGE_COUNT];
	char nothing[320]; /* why nothing could be compared; empty if something could */
};

/* Whether a limit is for any row of those that were made, or its pattern matches none. */
bool diff_limit_is_for_any(const struct diff_limit *limit, const struct diff *diff);

/* Whether any row differs. */
bool diff_changed(const struct diff *diff);

/* How much a column of B is more, in percent, and the last column; absent where either side has no number. */
struct cell diff_more(const struct diff *diff, const struct diff_row *row, size_t column);
struct cell diff_cost(const struct diff *diff, const struct diff_row *row);

/* A row as a whole, in printable characters: "io at vmm", "cr0.ts.mov of VM 1". Patterns of limits match that, or the first
 * name alone. */
#define DIFF_ROW_NAME_SIZE (2 * CELL_TEXT_SIZE + 8)
const char *diff_row_name(const struct diff *diff, const struct diff_row *row, char text[DIFF_ROW_NAME_SIZE]);

/* Whether a side has the row, or did not observe what would be in it. */
bool diff_in(const struct diff *diff, const struct diff_row *row, int side);

/* The column that may differ by the limit for ticks. */
static inline size_t diff_cost_column(const struct diff *diff)
{
	return diff->column_count - 1;
}

/* For the makers of rows: fills `change` and what belongs to it, and counts it. */
void diff_judge(struct diff *diff, struct diff_row *row);

#endif
