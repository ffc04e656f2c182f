/* SPDX-License-Identifier: GPL-2.0-only */
/* What took exits: what there is to say first of a guest that has no operations with names. */
#ifndef VMM_REPORT_REPORT_EXITS_H
#define VMM_REPORT_REPORT_EXITS_H

#include <jansson.h>

#include "vmm/analysis/exit_groups.h"

enum { EXITS_BY_REASON, EXITS_BY_SYMBOL, EXITS_BY_RIP, EXIT_TABLE_COUNT };

struct exit_tables {
	struct group_list lists[EXIT_TABLE_COUNT]; /* made by exit_groups_rank() */
};

/* Whether these tables are what a ledger is best shown by: no operation has a row. */
bool report_exits_apply(const struct ledger_index *contents);

/* Returns 0 or -ENOMEM; report_exits_finish() is due either way. */
int report_exits_make(struct ledger_index *contents, struct exit_tables *ret_tables);
void report_exits_finish(struct exit_tables *tables);

/* The tables, the most frequent of each, if there are any; then by what exits were recorded. Returns 0 or -ENOMEM. */
int report_exits_text(const struct report *report, FILE *stream);

/* What there is to say below a table: how many exits do not say how long they took, if any; how code gets names, if some
 * of it has none. */
void report_exits_untimed(const struct group_list *list, FILE *stream);
void report_exits_unnamed(const struct group_list *list, FILE *stream);

/* Adds an array for each table, with all rows; null where there is none. */
void report_exits_json(const struct report *report, json_t *root);

#endif
