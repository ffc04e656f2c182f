/* SPDX-License-Identifier: GPL-2.0-only */
/* What `sidestep views` says about a policy file, as rows and cells; the writers know nothing else.
 */
#ifndef VMM_REPORT_VIEWS_REPORT_H
#define VMM_REPORT_VIEWS_REPORT_H

#include "views/ept.h"
#include "views/policy_survey.h"
#include "vmm/plan/engine_target.h"
#include "vmm/policy/policy_file.h"

enum view_column {
#define VIEW_COLUMN(id, header, key, type, meaning) VIEW_COLUMN_##id,
#include "vmm/report/view_column.def"
#undef VIEW_COLUMN
	VIEW_COLUMN_COUNT
};

enum view_cell_type { VIEW_CELL_TEXT, VIEW_CELL_COUNT, VIEW_CELL_BYTES };

struct view_column_row {
	const char *header, *key;
	enum view_cell_type type;
	const char *meaning;
};

extern const struct view_column_row view_columns[VIEW_COLUMN_COUNT];

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

/* The number in a cell of a column that is not TEXT; false if there is none. */
bool views_number(const struct views_report *report, uint32_t view, enum view_column column,
		  uint64_t *ret_number);

/* How a view treats a region, or, POLICY_NO_INDEX, the rest of memory: its rights, and the memory
 * that it shows instead of its own, if it is remapped. */
struct view_rule views_rule(const struct views_report *report, uint32_t view, uint32_t region);

/* Write the report; sound or not. Return 0 or -ENOMEM. */
int views_text(const struct views_report *report, FILE *stream);
int views_json(const struct views_report *report, FILE *stream);

#endif
