/* SPDX-License-Identifier: GPL-2.0-only */
/* What `sidestep views` says about a policy file, as tables; the writers know nothing else. */
#ifndef VMM_REPORT_VIEWS_REPORT_H
#define VMM_REPORT_VIEWS_REPORT_H

#include "views/ept.h"
#include "views/policy_survey.h"
#include "vmm/plan/engine_target.h"
#include "vmm/policy/policy_file.h"
#include "vmm/table/table.h"

enum view_column {
#define COLUMN(id, header, key, flags, meaning) VIEW_COLUMN_##id,
#include "vmm/report/view_column.def"
#undef COLUMN
	VIEW_COLUMN_COUNT
};

extern const struct table_column view_columns[VIEW_COLUMN_COUNT];

struct views_report {
	const char *path, *guest;
	uint64_t memory;
	const struct engine *engine;
	struct image image;
	struct engine_target target;
	struct policy_file file;
	struct diagnostics diagnostics;
	bool sound; /* what follows is there */
	struct policy_survey survey;
	struct ept_views *tables; /* NULL: the engine has none */
};

/* A row for each view, for each region, for each piece of memory that one view can write and another
 * one sees. The regions have, behind their own columns, the cells of one for each view, and behind
 * their rows those of one for the rest of memory. */
struct table views_table(const struct views_report *report);
struct table views_regions_table(const struct views_report *report);
struct table views_shared_table(const struct views_report *report);

#define VIEWS_REGION_COLUMNS 3

/* Write the report; sound or not. Return 0 or -ENOMEM. */
int views_text(const struct views_report *report, FILE *stream);
int views_json(const struct views_report *report, FILE *stream);

#endif
