/* SPDX-License-Identifier: GPL-2.0-only */
/* What changed from one report to another, operation by operation. */
#ifndef VMM_DIFF_H
#define VMM_DIFF_H

#include "report.h"

/* What makes an operation differ: CHANGE(NAME, key). The first that applies. */
#define DIFF_CHANGES(X)                                                                            \
	X(NONE, "none")                                                                            \
	X(ONLY_A, "only_a")                                                                        \
	X(ONLY_B, "only_b")                                                                        \
	X(EXITS, "exits")                                                                          \
	X(COST, "cost")

enum diff_change {
#define X(name, key) DIFF_##name,
	DIFF_CHANGES(X)
#undef X
	DIFF_CHANGE_COUNT
};

extern const char *const diff_change_keys[DIFF_CHANGE_COUNT];

/* The columns that are compared. Exits and placement must be equal, "not observed" included; medians
 * may differ by the threshold. */
#define DIFF_COLUMNS 5
#define DIFF_COLUMN_COST (DIFF_COLUMNS - 1)
extern const enum column diff_columns[DIFF_COLUMNS];

struct diff_row {
	const char *name;
	const struct report_row *row[2]; /* of A and B; NULL where it is not in */
	bool differs[DIFF_COLUMNS];
	bool cost_known; /* there are two medians to compare */
	double cost;     /* how much that of B is larger, in percent; infinite if that of A is 0 */
	enum diff_change change;
};

struct diff {
	const struct report *report[2];
	double threshold; /* percent */
	bool exits_only;  /* medians do not count */
	struct diff_row *rows; /* the operations of A in their order, then those only in B */
	size_t row_count;
	size_t changes[DIFF_CHANGE_COUNT];
};

/* The reports, the threshold and what counts have been set. Returns 0 or -ENOMEM; diff_finish() is due
 * either way. */
int diff_make(struct diff *diff);
void diff_finish(struct diff *diff);

/* Whether any operation differs. */
bool diff_changed(const struct diff *diff);

/* The writers; they return 0 or -ENOMEM. Text shows the operations that differ, the others all. */
typedef int diff_writer(const struct diff *diff, FILE *stream);
diff_writer diff_text, diff_csv, diff_json;

#endif
