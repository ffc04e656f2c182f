/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/report/views_report.h"

#include <inttypes.h>
#include <string.h>

/* A longer list is cut off; JSON has all of it. */
#define LIST_SIZE 120
/* A list of more views than these becomes a number. */
#define NAMES_SHOWN 6

const struct table_column view_columns[VIEW_COLUMN_COUNT] = {
#define COLUMN TABLE_COLUMN
#include "vmm/report/view_column.def"
#undef COLUMN
};

/* One more name. */
static void add_name(struct cell *cell, size_t *used, const char *name)
{
	if (*used < LIST_SIZE)
		*used += (size_t)snprintf(cell->buffer + *used, LIST_SIZE - *used, "%s%s", *used ? ", " : "", name);
}

static struct cell gates_cell(const struct views_report *report, uint32_t view)
{
	const struct policy_file_list *gates = &report->file.views[view].gates;
	struct cell cell = {.state = gates->count ? CELL_OBSERVED : CELL_ABSENT};
	size_t used = 0;

	for (size_t i = 0; i < gates->count; i++)
		add_name(&cell, &used, report->file.policy.regions[gates->regions[i]].name);
	return cell;
}

static struct cell view_cell(const void *data, size_t row, size_t column)
{
	const struct views_report *report = data;
	const struct view_survey *survey = &report->survey.views[row];
	const struct ept_view *tables = report->tables ? &report->tables->view[row] : NULL;

	switch ((enum view_column)column) {
	case VIEW_COLUMN_INDEX:
		return cell_of_count(true, row);
	case VIEW_COLUMN_NAME:
		return cell_of_text(report->file.policy.views[row].name);
	case VIEW_COLUMN_READ:
		return cell_of_value(CELL_BYTES, survey->readable);
	case VIEW_COLUMN_WRITE:
		return cell_of_value(CELL_BYTES, survey->writable);
	case VIEW_COLUMN_EXECUTE:
		return cell_of_value(CELL_BYTES, survey->executable);
	case VIEW_COLUMN_SHARED:
		return cell_of_value(CELL_BYTES, survey->shared);
	case VIEW_COLUMN_TABLES:
		return tables ? cell_of_count(true, tables->tables) : cell_of_text(NULL);
	case VIEW_COLUMN_OWN:
		return tables ? cell_of_count(true, tables->own) : cell_of_text(NULL);
	default:
		return gates_cell(report, (uint32_t)row);
	}
}

struct table views_table(const struct views_report *report)
{
	return (struct table){view_columns, VIEW_COLUMN_COUNT, report->file.policy.view_count, view_cell, report,
			      .fit = true};
}

/* How a view treats a region, or the rest of memory: "rw-", "rw- ve" where a violation is #VE, or "rw- of tag-1" where
 * it shows other memory instead of its own. */
static struct cell rule_cell(const struct views_report *report, uint32_t view, uint32_t region)
{
	const struct view_policy *policy = &report->file.policy;
	const struct view_rule *rule = policy_rule(policy, view, region);
	unsigned rights = rule ? rule->rights : policy->views[view].rights;
	const bool ve = (rule ? rule->ve : policy->views[view].ve) && rights != VIEW_RIGHTS_ALL;
	const char *shown = NULL;
	char text[RIGHTS_TEXT_SIZE + 3];

	rights_text(rights, text);
	if (ve)
		strcat(text, " ve");
	if (!rule || !rule->remapped || rights == 0)
		return cell_of_format("%s", text);
	for (size_t i = 0; i < policy->region_count; i++)
		if (gpa_equal(policy->regions[i].gpa, rule->target))
			shown = policy->regions[i].name;
	return shown ? cell_of_format("%s of %s", text, shown)
		     : cell_of_format("%s of 0x%" PRIx64, text, rule->target.v);
}

/* Behind the last region comes the rest of memory, which is of no place and no size. */
static struct cell region_cell(const void *data, size_t row, size_t column)
{
	const struct views_report *report = data;
	const struct view_policy *policy = &report->file.policy;
	const struct view_region *region = &policy->regions[row];

	if (column >= VIEWS_REGION_COLUMNS)
		return rule_cell(report, (uint32_t)(column - VIEWS_REGION_COLUMNS), (uint32_t)row);
	if (row >= policy->region_count)
		return cell_of_text(column == 0 ? "(rest)" : "");
	return column == 0   ? cell_of_text(region->name)
	       : column == 1 ? cell_of_value(CELL_ADDRESS, region->gpa.v)
			     : cell_of_value(CELL_BYTES, region->size);
}

struct table views_regions_table(const struct views_report *report)
{
	static const struct table_column columns[VIEWS_REGION_COLUMNS] = {
		TABLE_PLAIN("REGION", "name", TABLE_LEFT),
		TABLE_PLAIN("ADDRESS", "address", TABLE_RIGHT),
		TABLE_PLAIN("SIZE", "size", TABLE_RIGHT),
	};

	return (struct table){columns, VIEWS_REGION_COLUMNS, report->file.policy.region_count, region_cell, report,
			      .fit = true};
}

static struct cell set_cell(const struct view_policy *policy, const struct view_set *set)
{
	struct cell cell = {0};
	size_t count = 0, used = 0;

	for (uint32_t v = 0; v < policy->view_count; v++)
		count += view_set_has(set, v);
	if (count > NAMES_SHOWN)
		return cell_of_format("%s%zu views", count == policy->view_count ? "all " : "", count);
	cell.state = count ? CELL_OBSERVED : CELL_ABSENT;
	for (uint32_t v = 0; v < policy->view_count; v++)
		if (view_set_has(set, v))
			add_name(&cell, &used, policy->views[v].name);
	return cell;
}

enum shared_column {
	SHARED_ADDRESS,
	SHARED_SIZE,
	SHARED_WHERE,
	SHARED_REGION,
	SHARED_WRITERS,
	SHARED_READERS,
	SHARED_COUNT
};

static struct cell shared_cell(const void *data, size_t row, size_t column)
{
	const struct views_report *report = data;
	const struct view_policy *policy = &report->file.policy;
	const struct shared_memory *shared = &report->survey.shared[row];
	const char *region = shared->region < policy->region_count ? policy->regions[shared->region].name : NULL;

	switch ((enum shared_column)column) {
	case SHARED_ADDRESS:
		return cell_of_value(CELL_ADDRESS, shared->gpa.v);
	case SHARED_SIZE:
		return cell_of_value(CELL_BYTES, shared->size);
	case SHARED_WHERE:
		return cell_of_text(region ? region : "(rest)");
	case SHARED_REGION:
		return cell_of_text(region);
	case SHARED_WRITERS:
		return set_cell(policy, &shared->writers);
	default:
		return set_cell(policy, &shared->readers);
	}
}

struct table views_shared_table(const struct views_report *report)
{
	static const struct table_column columns[SHARED_COUNT] = {
		[SHARED_ADDRESS] = TABLE_PLAIN("SHARED", "address", TABLE_RIGHT),
		[SHARED_SIZE] = TABLE_PLAIN("SIZE", "size", TABLE_RIGHT),
		[SHARED_WHERE] = TABLE_PLAIN("REGION", "", TABLE_ONLY_TEXT),
		[SHARED_REGION] = TABLE_PLAIN("", "region", TABLE_ONLY_JSON),
		[SHARED_WRITERS] = TABLE_PLAIN("WRITTEN IN", "", TABLE_ONLY_TEXT),
		[SHARED_READERS] = TABLE_PLAIN("ALSO SEEN IN", "", TABLE_ONLY_TEXT),
	};

	return (struct table){columns, SHARED_COUNT, report->survey.shared_count, shared_cell, report, .fit = true};
}
