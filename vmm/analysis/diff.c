/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/diff.h"

#include <math.h>

#include "views/list.h"

const char *const diff_change_keys[DIFF_CHANGE_COUNT] = {DIFF_CHANGES(LIST_KEY)};

bool diff_in(const struct diff *diff, const struct diff_row *row, int side)
{
	return row->row[side] || row->group[side] ||
	       diff->kind->cell(diff, row, side, 0).state == CELL_NOT_OBSERVED;
}

struct cell diff_cost(const struct diff *diff, const struct diff_row *row)
{
	const struct cell a = diff->kind->cell(diff, row, 0, diff_cost_column(diff)),
			  b = diff->kind->cell(diff, row, 1, diff_cost_column(diff));
	double from = cell_value(&a), to = cell_value(&b);

	if (a.state != CELL_OBSERVED || b.state != CELL_OBSERVED)
		return cell_of_text(NULL);
	return cell_of_number(CELL_CHANGE, true,
			      from == to ? 0
			      : from > 0 ? 100 * (to - from) / from
					 : INFINITY);
}

/* Fills what differs; returns whether anything was there to compare. */
static bool compare(const struct diff *diff, struct diff_row *row)
{
	const struct cell cost = diff_cost(diff, row);
	bool compared = !diff->exits_only && cost.state == CELL_OBSERVED;

	for (size_t i = 0; i < diff_cost_column(diff); i++) {
		const struct cell a = diff->kind->cell(diff, row, 0, i), b = diff->kind->cell(diff, row, 1, i);

		row->differs[i] = !cell_equal(&a, &b);
		compared |= a.state == CELL_OBSERVED && b.state == CELL_OBSERVED;
	}
	row->differs[diff_cost_column(diff)] =
		cost.state == CELL_OBSERVED && fabs(cost.number) > diff->threshold;
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
	bool compared = compare(diff, row);

	row->change = change_of(diff, row, compared);
	diff->changes[row->change]++;
	diff->compared += compared || row->change == DIFF_EXITS;
}

bool diff_changed(const struct diff *diff)
{
	return diff->changes[DIFF_NONE] + diff->changes[DIFF_NOT_COMPARED] != diff->row_count;
}
