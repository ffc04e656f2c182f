/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/views_report.h"

const struct view_column_row view_columns[VIEW_COLUMN_COUNT] = {
#define VIEW_COLUMN(id, header, key, type, meaning) {header, #key, VIEW_CELL_##type, meaning},
#include "vmm/report/view_column.def"
#undef VIEW_COLUMN
};

bool views_number(const struct views_report *report, uint32_t view, enum view_column column,
		  uint64_t *ret_number)
{
	const struct view_survey *survey = &report->survey.views[view];
	const struct ept_view *tables = report->tables ? &report->tables->view[view] : NULL;
	const uint64_t numbers[VIEW_COLUMN_COUNT] = {
		[VIEW_COLUMN_INDEX] = view,
		[VIEW_COLUMN_READ] = survey->readable,
		[VIEW_COLUMN_WRITE] = survey->writable,
		[VIEW_COLUMN_EXECUTE] = survey->executable,
		[VIEW_COLUMN_SHARED] = survey->shared,
		[VIEW_COLUMN_TABLES] = tables ? tables->tables : 0,
		[VIEW_COLUMN_OWN] = tables ? tables->own : 0,
	};

	*ret_number = numbers[column];
	return tables || (column != VIEW_COLUMN_TABLES && column != VIEW_COLUMN_OWN);
}

struct view_rule views_rule(const struct views_report *report, uint32_t view, uint32_t region)
{
	const struct view_policy *policy = &report->file.policy;
	const struct view_rule *rule = policy_rule(policy, view, region);

	return rule ? *rule
		    : (struct view_rule){.region = region, .rights = policy->views[view].rights};
}
