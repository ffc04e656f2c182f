/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/ledger_regions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int ledger_regions_take(struct ledger_regions *regions, const char *value)
{
	struct ledger_region region, *list;
	char *end;

	region.start = strtoull(value, &end, 0);
	region.size = strtoull(end, &end, 0);
	if (*end != ' ')
		return 0;
	region.name = end + 1;
	list = realloc(regions->list, (regions->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	regions->list = list;
	list[regions->count++] = region;
	return 0;
}

void ledger_regions_finish(struct ledger_regions *regions)
{
	free(regions->list);
	*regions = (struct ledger_regions){0};
}

void ledger_regions_name(const struct ledger_regions *regions, struct summary *summary)
{
	for (size_t i = 0; i < summary->violation_count; i++) {
		struct record_violation *record = &summary->violations[i].record;

		for (size_t r = 0; r < regions->count && !record->region[0]; r++)
			if (record->gpa - regions->list[r].start < regions->list[r].size)
				snprintf(record->region, sizeof(record->region), "%s", regions->list[r].name);
	}
}
