/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Columns of the lists that enumerations are made from. A list is a macro LIST(X) of rows X(NAME, key, "meaning"); its
 * keys are {LIST(LIST_KEY)}, in the order of the enumeration. Rows with other columns have macros of their own.
 */
#ifndef VIEWS_LIST_H
#define VIEWS_LIST_H

#define LIST_KEY(name, key, ...) key,
#define LIST_MEANING(name, key, meaning, ...) meaning,

#endif
