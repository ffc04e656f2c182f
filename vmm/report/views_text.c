/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/report/views_report.h"
#include "vmm/table/table.h"

#define CELL_SIZE 120
/* A list of more views than these becomes a number; JSON has the names. */
#define NAMES_SHOWN 6
/* A table of regions with more cells than these is nothing to look at. */
#define CELLS_SHOWN 65536

typedef struct libscols_table table_t;

static int add_column(table_t *table, const char *header, bool right)
{
	return scols_table_new_column(table, header, 0, right ? SCOLS_FL_RIGHT : 0) ? 0 : -ENOMEM;
}

static int add_cell(struct libscols_line *line, size_t column, const char *text)
{
	return line && scols_line_set_data(line, column, text) == 0 ? 0 : -ENOMEM;
}

/* In the largest unit that leaves a whole number; sizes are whole pages. */
static void bytes_text(uint64_t bytes, char *text, size_t size)
{
	unsigned shift = 10;

	while (bytes && shift < 30 && bytes >> shift << shift == bytes &&
	       bytes >> (shift + 10) << (shift + 10) == bytes)
		shift += 10;
	snprintf(text, size, "%" PRIu64 "%c", bytes >> shift, "KMG"[shift / 10 - 1]);
}

static void gates_text(const struct views_report *report, uint32_t view, char *text, size_t size)
{
	const struct policy_file_view *notes = &report->file.views[view];
	size_t used = 0;

	snprintf(text, size, "-");
	for (size_t i = 0; i < notes->gate_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 report->file.policy.regions[notes->gates[i]].name);
}

static void cell_of(const struct views_report *report, uint32_t view, enum view_column column,
		    char text[CELL_SIZE])
{
	uint64_t number;

	if (column == VIEW_COLUMN_NAME)
		snprintf(text, CELL_SIZE, "%s", report->file.policy.views[view].name);
	else if (column == VIEW_COLUMN_GATES)
		gates_text(report, view, text, CELL_SIZE);
	else if (!views_number(report, view, column, &number))
		snprintf(text, CELL_SIZE, "-");
	else if (view_columns[column].type == VIEW_CELL_BYTES)
		bytes_text(number, text, CELL_SIZE);
	else
		snprintf(text, CELL_SIZE, "%" PRIu64, number);
}

static int print_views(const struct views_report *report, FILE *stream)
{
	table_t *table = table_start(stream, true);
	int rc = table ? 0 : -ENOMEM;

	for (int c = 0; rc == 0 && c < VIEW_COLUMN_COUNT; c++)
		rc = add_column(table, view_columns[c].header,
				view_columns[c].type != VIEW_CELL_TEXT);
	for (uint32_t v = 0; rc == 0 && v < report->file.policy.view_count; v++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		for (size_t c = 0; rc == 0 && c < VIEW_COLUMN_COUNT; c++) {
			char text[CELL_SIZE];

			cell_of(report, v, (enum view_column)c, text);
			rc = add_cell(line, c, text);
		}
	}
	return table_finish(table, rc);
}

static const char *region_name(const struct views_report *report, uint32_t region)
{
	return region < report->file.policy.region_count ? report->file.policy.regions[region].name
							 : "(rest)";
}

/* "rw-", or "rw- of tag-1" where other memory is shown. */
static void rule_text(const struct views_report *report, uint32_t view, uint32_t region,
		      char text[CELL_SIZE])
{
	const struct view_policy *policy = &report->file.policy;
	const struct view_rule rule = views_rule(report, view, region);
	const char *shown = NULL;

	rights_text(rule.rights, text);
	if (!rule.remapped || rule.rights == 0)
		return;
	for (size_t i = 0; i < policy->region_count; i++)
		if (gpa_equal(policy->regions[i].gpa, rule.target))
			shown = policy->regions[i].name;
	if (shown)
		snprintf(text + 3, CELL_SIZE - 3, " of %s", shown);
	else
		snprintf(text + 3, CELL_SIZE - 3, " of 0x%" PRIx64, rule.target.v);
}

static int add_region_cells(const struct views_report *report, uint32_t region,
			    struct libscols_line *line)
{
	const struct view_policy *policy = &report->file.policy;
	char text[CELL_SIZE];
	int rc = add_cell(line, 0, region_name(report, region));

	if (rc == 0 && region < policy->region_count) {
		snprintf(text, sizeof(text), "0x%" PRIx64, policy->regions[region].gpa.v);
		rc = add_cell(line, 1, text);
		bytes_text(policy->regions[region].size, text, sizeof(text));
		if (rc == 0)
			rc = add_cell(line, 2, text);
	}
	for (uint32_t v = 0; rc == 0 && v < policy->view_count; v++) {
		rule_text(report, v, region, text);
		rc = add_cell(line, 3 + v, text);
	}
	return rc;
}

/* A line for each region and one for the rest of memory, a column for each view. */
static int print_regions(const struct views_report *report, FILE *stream)
{
	const struct view_policy *policy = &report->file.policy;
	table_t *table;
	int rc;

	if ((policy->region_count + 1) * policy->view_count > CELLS_SHOWN) {
		fprintf(stream, "%zu regions in %zu views are too many for a table; --format json has "
				"them\n",
			policy->region_count, policy->view_count);
		return 0;
	}
	table = table_start(stream, true);
	rc = table ? add_column(table, "REGION", false) : -ENOMEM;
	if (rc == 0)
		rc = add_column(table, "ADDRESS", true);
	if (rc == 0)
		rc = add_column(table, "SIZE", true);
	for (size_t v = 0; rc == 0 && v < policy->view_count; v++)
		rc = add_column(table, policy->views[v].name, false);
	for (uint32_t r = 0; rc == 0 && r <= policy->region_count; r++)
		rc = add_region_cells(report, r, scols_table_new_line(table, NULL));
	return table_finish(table, rc);
}

static void set_text(const struct views_report *report, const struct view_set *set,
		     char text[CELL_SIZE])
{
	const struct view_policy *policy = &report->file.policy;
	size_t count = 0, used = 0;

	for (uint32_t v = 0; v < policy->view_count; v++)
		count += view_set_has(set, v);
	snprintf(text, CELL_SIZE, "-");
	if (count > NAMES_SHOWN)
		snprintf(text, CELL_SIZE, "%s%zu views", count == policy->view_count ? "all " : "",
			 count);
	for (uint32_t v = 0; v < policy->view_count && count <= NAMES_SHOWN && used < CELL_SIZE;
	     v++)
		if (view_set_has(set, v))
			used += (size_t)snprintf(text + used, CELL_SIZE - used, "%s%s",
						 used ? ", " : "", policy->views[v].name);
}

static int add_shared(const struct views_report *report, const struct shared_memory *shared,
		      struct libscols_line *line)
{
	char address[24], size[24], writers[CELL_SIZE], readers[CELL_SIZE];
	const char *const cells[] = {address, size, region_name(report, shared->region), writers,
				     readers};
	int rc = 0;

	snprintf(address, sizeof(address), "0x%" PRIx64, shared->gpa.v);
	bytes_text(shared->size, size, sizeof(size));
	set_text(report, &shared->writers, writers);
	set_text(report, &shared->readers, readers);
	for (size_t c = 0; rc == 0 && c < sizeof(cells) / sizeof(cells[0]); c++)
		rc = add_cell(line, c, cells[c]);
	return rc;
}

static int print_shared(const struct views_report *report, FILE *stream)
{
	static const char *const headers[] = {"SHARED", "SIZE", "REGION", "WRITTEN IN",
					      "ALSO SEEN IN"};
	table_t *table;
	int rc;

	if (report->survey.shared_count == 0) {
		fputs("no memory that one view can write is seen in another\n", stream);
		return 0;
	}
	table = table_start(stream, true);
	rc = table ? 0 : -ENOMEM;
	for (size_t i = 0; rc == 0 && i < sizeof(headers) / sizeof(headers[0]); i++)
		rc = add_column(table, headers[i], i < 2);
	for (size_t i = 0; rc == 0 && i < report->survey.shared_count; i++)
		rc = add_shared(report, &report->survey.shared[i],
				scols_table_new_line(table, NULL));
	return table_finish(table, rc);
}

static void print_costs(const struct views_report *report, FILE *stream)
{
	const struct ept_views *tables = report->tables;

	if (tables)
		fprintf(stream,
			"tables: %" PRIu64 " of 4 KiB, %" PRIu64 " KiB; without sharing %" PRIu64
			"\n",
			tables->tables_total, tables->tables_total * 4, tables->tables_unshared);
	else
		fprintf(stream, "tables: none; a switch changes the memory slots of %zu regions\n",
			report->file.policy.region_count);
}

int views_text(const struct views_report *report, FILE *stream)
{
	char memory[24];
	int rc;

	if (!report->sound)
		return 0;
	bytes_text(report->memory, memory, sizeof(memory));
	fputs("policy ", stream);
	printable_put(stream, report->path);
	fputs(", guest: ", stream);
	printable_put(stream, report->guest);
	fprintf(stream, " with %s\nengine %s: %s (%s)\n\n", memory, engine_keys[report->engine->id],
		report->target.view.format->name, report->target.basis);
	rc = print_views(report, stream);
	print_costs(report, stream);
	fputs("\n", stream);
	if (rc == 0)
		rc = print_regions(report, stream);
	fputs("\n", stream);
	if (rc == 0)
		rc = print_shared(report, stream);
	return rc;
}
