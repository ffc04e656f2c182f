/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/diff.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "views/list.h"
#include "vmm/base/number.h"

#define PERCENT_MAX 1e9

const char *const diff_change_keys[DIFF_CHANGE_COUNT] = {DIFF_CHANGES(LIST_KEY)};

bool diff_in(const struct diff *diff, const struct diff_row *row, int side)
{
	return row->row[side] || row->group[side] ||
	       diff->kind->cell(diff, row, side, 0).state == CELL_NOT_OBSERVED;
}

struct cell diff_more(const struct diff *diff, const struct diff_row *row, size_t column)
{
	const struct cell a = diff->kind->cell(diff, row, 0, column), b = diff->kind->cell(diff, row, 1, column);
	double from = cell_value(&a), to = cell_value(&b);

	if (a.state != CELL_OBSERVED || b.state != CELL_OBSERVED || a.type == CELL_TEXT || b.type == CELL_TEXT)
		return cell_of_text(NULL);
	return cell_of_number(CELL_CHANGE, true,
			      from == to ? 0
			      : from > 0 ? 100 * (to - from) / from
					 : INFINITY);
}

struct cell diff_cost(const struct diff *diff, const struct diff_row *row)
{
	return diff_more(diff, row, diff_cost_column(diff));
}

const char *diff_row_name(const struct diff *diff, const struct diff_row *row, char text[DIFF_ROW_NAME_SIZE])
{
	struct cell cells[DIFF_NAMES] = {{0}};
	char plain[DIFF_NAMES][CELL_TEXT_SIZE];

	for (size_t i = 0; i < diff->name_count; i++)
		cells[i] = diff->kind->name(diff, row, i);
	if (cells[1].state == CELL_ABSENT)
		snprintf(text, DIFF_ROW_NAME_SIZE, "%s", cell_plain(&cells[0], plain[0]));
	else
		snprintf(text, DIFF_ROW_NAME_SIZE, "%s %s %s", cell_plain(&cells[0], plain[0]),
			 diff->by == GROUP_OPERATION ? "of VM" : "at", cell_plain(&cells[1], plain[1]));
	return text;
}

/* A name may have a "=" in it, a number has none. */
int diff_limits_add(struct diff_limits *limits, const char *option, const char *text, struct error *error)
{
	const char *equals = strrchr(text, '=');
	double percent;

	if (number_decimal(equals ? equals + 1 : text, 0, PERCENT_MAX, &percent) != 0)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: '%s' is not a number of percent, such as 2.5, or NAME=2.5", option, text);
	if (!equals) {
		limits->percent = percent;
		return 0;
	}
	if (limits->count == DIFF_LIMITS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE, "%s: given for more than %d names", option,
				 DIFF_LIMITS_MAX);
	if (equals == text || equals - text >= DIFF_ROW_NAME_SIZE)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: '%s' is not NAME=PERCENT with a name of a row", option, text);
	limits->rows[limits->count++] = (struct diff_limit){text, (int)(equals - text), percent};
	return 0;
}

static bool is_for(const struct diff_limit *limit, const struct diff *diff, const struct diff_row *row)
{
	const struct cell name = diff->kind->name(diff, row, 0);
	char pattern[DIFF_ROW_NAME_SIZE], plain[CELL_TEXT_SIZE], whole[DIFF_ROW_NAME_SIZE];

	snprintf(pattern, sizeof(pattern), "%.*s", limit->length, limit->pattern);
	return fnmatch(pattern, cell_plain(&name, plain), 0) == 0 ||
	       fnmatch(pattern, diff_row_name(diff, row, whole), 0) == 0;
}

bool diff_limit_is_for_any(const struct diff_limit *limit, const struct diff *diff)
{
	for (size_t i = 0; i < diff->row_count; i++)
		if (is_for(limit, diff, &diff->rows[i]))
			return true;
	return false;
}

static double limit_of(const struct diff_limits *limits, const struct diff *diff, const struct diff_row *row)
{
	for (unsigned i = limits ? limits->count : 0; i-- > 0;)
		if (is_for(&limits->rows[i], diff, row))
			return limits->rows[i].percent;
	return limits ? limits->percent : 0;
}

/* Of exits: they are the same, or as much the same as they have to be. */
static bool exits_alike(const struct diff *diff, const struct diff_row *row, size_t column)
{
	const struct cell a = diff->kind->cell(diff, row, 0, column), b = diff->kind->cell(diff, row, 1, column);
	const struct cell more = diff_more(diff, row, column);

	return cell_equal(&a, &b) || (more.state == CELL_OBSERVED && fabs(more.number) <= row->exits_limit);
}

/* Fills what differs; returns whether anything was there to compare. */
static bool compare(const struct diff *diff, struct diff_row *row)
{
	const struct cell cost = diff_cost(diff, row);
	bool compared = !diff->exits_only && cost.state == CELL_OBSERVED;

	for (size_t i = 0; i < diff_cost_column(diff); i++) {
		const struct cell a = diff->kind->cell(diff, row, 0, i), b = diff->kind->cell(diff, row, 1, i);

		row->differs[i] = !exits_alike(diff, row, i);
		compared |= a.state == CELL_OBSERVED && b.state == CELL_OBSERVED;
	}
	row->differs[diff_cost_column(diff)] =
		cost.state == CELL_OBSERVED && fabs(cost.number) > row->ticks_limit;
	return compared;
}

static enum diff_change change_of(const struct diff *diff, const struct diff_row *row, bool compared)
{
	if (!diff_in(diff, row, 1))
		return DIFF_ONLY_A;
	if (!diff_in(diff, row, 0))
		return DIFF_ONLY_B;
	for (size_t i = 0; i < diff_cost_column(diff); i++)
		if (row->differs[i])
			return DIFF_EXITS;
	if (row->differs[diff_cost_column(diff)] && !diff->exits_only)
		return DIFF_COST;
	return compared ? DIFF_NONE : DIFF_NOT_COMPARED;
}

void diff_judge(struct diff *diff, struct diff_row *row)
{
	bool compared;

	row->exits_limit = limit_of(diff->exits_limits, diff, row);
	row->ticks_limit = limit_of(diff->ticks_limits, diff, row);
	compared = compare(diff, row);
	row->change = change_of(diff, row, compared);
	diff->changes[row->change]++;
	diff->compared += compared || row->change == DIFF_EXITS;
}

bool diff_changed(const struct diff *diff)
{
	return diff->changes[DIFF_NONE] + diff->changes[DIFF_NOT_COMPARED] != diff->row_count;
}
