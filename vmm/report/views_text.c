/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/report/views_report.h"

/* A table of regions with more cells than these is nothing to look at. */
#define CELLS_SHOWN 65536

/* A line for each region and one for the rest of memory, a column for each view. */
static int print_regions(const struct views_report *report, FILE *stream)
{
	const struct view_policy *policy = &report->file.policy;
	struct table table = views_regions_table(report);
	struct table_column *columns;
	int rc;

	if ((policy->region_count + 1) * policy->view_count > CELLS_SHOWN) {
		fprintf(stream, "%zu regions in %zu views are too many for a table; --format json has "
				"them\n",
			policy->region_count, policy->view_count);
		return 0;
	}
	columns = calloc(table.column_count + policy->view_count, sizeof(*columns));
	if (!columns)
		return -ENOMEM;
	memcpy(columns, table.columns, table.column_count * sizeof(*columns));
	for (size_t v = 0; v < policy->view_count; v++)
		columns[table.column_count++].header = policy->views[v].name;
	table.columns = columns;
	table.row_count++;
	rc = table_text(&table, stream);
	free(columns);
	return rc;
}

static int print_shared(const struct views_report *report, FILE *stream)
{
	const struct table table = views_shared_table(report);

	if (table.row_count)
		return table_text(&table, stream);
	fputs("no memory that one view can write is seen in another\n", stream);
	return 0;
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
	const struct cell memory = cell_of_value(CELL_BYTES, report->memory);
	const struct table views = views_table(report);
	char size[CELL_TEXT_SIZE];
	int rc;

	if (!report->sound)
		return 0;
	fputs("policy ", stream);
	printable_put(stream, report->path);
	fputs(", guest: ", stream);
	printable_put(stream, report->guest);
	fprintf(stream, " with %s\nengine %s: %s (%s)\n\n", cell_plain(&memory, size), engine_keys[report->engine->id],
		report->target.view.format->name, report->target.basis);
	rc = table_text(&views, stream);
	print_costs(report, stream);
	fputs("\n", stream);
	if (rc == 0)
		rc = print_regions(report, stream);
	fputs("\n", stream);
	if (rc == 0)
		rc = print_shared(report, stream);
	return rc;
}
