/* SPDX-License-Identifier: GPL-2.0-only */
/* What changed from one ledger to another: operation by operation, or by what else exits are counted by. */
#ifndef VMM_ANALYSIS_DIFF_H
#define VMM_ANALYSIS_DIFF_H

#include "vmm/analysis/exit_groups.h"
#include "vmm/analysis/ledger_index.h"

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

/* The columns that are compared, by operation and by anything else. Those of exits must be equal, "not observed"
 * included; the last one may differ by the threshold. */
#define DIFF_COLUMNS 5
#define DIFF_NAMES 2

struct diff_row {
	const struct report_row *row[2]; /* of A and B, by operation; NULL where it is not in */
	const struct group *group[2];    /* the same by anything else */
	bool differs[DIFF_COLUMNS];
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
	double threshold; /* percent */
	bool exits_only;  /* the last column does not count */
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

/* Whether any row differs. */
bool diff_changed(const struct diff *diff);

/* How much the last column of B is more. */
struct cell diff_cost(const struct diff *diff, const struct diff_row *row);

/* Whether a side has the row, or did not observe what would be in it. */
bool diff_in(const struct diff *diff, const struct diff_row *row, int side);

/* The column that may differ by the threshold. */
static inline size_t diff_cost_column(const struct diff *diff)
{
	return diff->column_count - 1;
}

/* For the makers of rows: fills `change` and what belongs to it, and counts it. */
void diff_judge(struct diff *diff, struct diff_row *row);

#endif
