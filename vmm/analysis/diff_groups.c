/* SPDX-License-Identifier: GPL-2.0-only */
/* Two ledgers of any guest: their recorded exits, counted by something other than the operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/diff_kinds.h"
#include "vmm/analysis/observed.h"

/* A group by what it is called: numbers of reasons and symbols are those of one ledger. */
struct named {
	const char *text; /* NULL: `number` is the name; such groups come behind the others */
	uint64_t number;
	const struct group *group;
	bool paired;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = x->text && y->text	   ? strcmp(x->text, y->text)
		    : x->text || y->text ? (y->text != NULL) - (x->text != NULL)
					 : (x->number > y->number) - (x->number < y->number);

	return order ? order : (x->group->level > y->group->level) - (x->group->level < y->group->level);
}

static const char *text_of(const struct ledger_index *contents, enum group_key by,
			   const struct group *group)
{
	if (by == GROUP_REASON)
		return ledger_index_reason(contents, group->level, group->key);
	if (by == GROUP_SYMBOL && !ledger_index_place_unnamed(group->key))
		return ledger_index_place_name(contents, group->key);
	return NULL;
}

/* Reasons that have the same name are one: those that are not known. */
static size_t unite(struct group_list *list, struct named *named)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct group *group = &list->groups[named[i].group - list->groups];

		if (group->level >= LEVEL_COUNT)
			continue;
		if (count && by_name(&named[count - 1], &named[i]) == 0) {
			struct group *first = &list->groups[named[count - 1].group - list->groups];

			first->count += group->count;
			first->timed += group->timed;
			first->ticks += group->ticks;
			continue;
		}
		named[count++] = named[i];
	}
	return count;
}

/* The groups of one side in the order of their names, to find them by it; NULL if memory is short. */
static struct named *take_side(struct diff *diff, int side, size_t *ret_count)
{
	struct group_list *list = &diff->groups[side];
	struct named *named;

	if (exit_groups_count(diff->contents[side], diff->by, list) != 0)
		return NULL;
	named = calloc(list->count + 1, sizeof(*named));
	if (!named)
		return NULL;
	for (size_t i = 0; i < list->count; i++)
		named[i] = (struct named){
			.text = text_of(diff->contents[side], diff->by, &list->groups[i]),
			.number = list->groups[i].key,
			.group = &list->groups[i],
		};
	qsort(named, list->count, sizeof(*named), by_name);
	*ret_count = unite(list, named);
	return named;
}

static const struct group *either(const struct diff_row *row)
{
	return row->group[row->group[0] ? 0 : 1];
}

static struct cell name_of(const struct diff *diff, const struct diff_row *row, size_t i)
{
	int side = row->group[0] ? 0 : 1;

	return group_cell(&diff->groups[side], either(row), i == 0 ? GROUP_COLUMN_KEY : GROUP_COLUMN_LEVEL);
}

/* Exits that are not there did not happen, if something would have seen them. */
static struct cell cell_of(const struct diff *diff, const struct diff_row *row, int side, size_t column)
{
	const struct group *group = row->group[side];
	enum level level = either(row)->level;
	bool observed = group ? group->observed
			      : observed_records(&diff->contents[side]->report, level) != RECORDED_NONE;

	if (column == 0)
		return cell_of_count(observed, group ? group->count : 0);
	if (observed && (!group || group->count == 0))
		return cell_of_text(NULL);
	return cell_of_number(CELL_TICKS, group && group->timed,
			      group ? (double)group->ticks / (double)group->timed : 0);
}

static void add_row(struct diff *diff, const struct group *a, const struct group *b)
{
	struct diff_row *row = &diff->rows[diff->row_count++];

	*row = (struct diff_row){.group = {a, b}};
	diff_judge(diff, row);
}

static void add_rows(struct diff *diff, struct named *named[2], const size_t counts[2])
{
	for (size_t i = 0; i < counts[0]; i++) {
		struct named *b = bsearch(&named[0][i], named[1], counts[1], sizeof(**named), by_name);

		if (b)
			b->paired = true;
		add_row(diff, named[0][i].group, b ? b->group : NULL);
	}
	for (size_t i = 0; i < counts[1]; i++)
		if (!named[1][i].paired)
			add_row(diff, NULL, named[1][i].group);
}

static int make(struct diff *diff)
{
	struct named *named[2] = {NULL, NULL};
	size_t counts[2] = {0, 0};
	int rc = -ENOMEM;

	for (int i = 0; i < DIFF_NAMES; i++) {
		const char *name = group_key_names[i == 0 ? diff->by : GROUP_LEVEL];

		diff->names[i] = (struct table_column)TABLE_PLAIN(name, name, TABLE_LEFT);
	}
	diff->name_count = diff->by == GROUP_LEVEL ? 1 : 2;
	diff->columns[0] = (struct table_column)TABLE_PLAIN("EXITS", "exits", TABLE_RIGHT);
	diff->columns[1] = (struct table_column)TABLE_PLAIN("TICKS EACH", "ticks_each", TABLE_RIGHT);
	diff->column_count = 2;
	for (int side = 0; side < 2; side++)
		named[side] = take_side(diff, side, &counts[side]);
	diff->rows = calloc(counts[0] + counts[1] + 1, sizeof(*diff->rows));
	if (named[0] && named[1] && diff->rows) {
		add_rows(diff, named, counts);
		rc = 0;
	}
	for (int side = 0; side < 2; side++)
		free(named[side]);
	return rc;
}

const struct diff_kind diff_groups = {make, name_of, cell_of};
