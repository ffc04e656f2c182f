/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of text: what all of them have in common. */
#ifndef VMM_TABLE_TABLE_H
#define VMM_TABLE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct libscols_table;

/* A table without columns, or NULL. With `fit` lines are made to fit into a terminal; where the reader is a
 * program or a file they are whole in any case. */
struct libscols_table *table_start(FILE *stream, bool fit);

/* Prints a table that was filled (`rc` 0) and frees it. NULL is allowed. Returns 0 or a negative errno: `rc` if that
 * is one. */
int table_finish(struct libscols_table *table, int rc);

#endif
