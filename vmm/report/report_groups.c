/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/observed.h"
#include "vmm/report/report_writers.h"
#include "vmm/table/json.h"

#define GROUPS_VERSION 3

int exit_groups_text(const struct group_list *list, FILE *stream)
{
	const struct table table = exit_groups_table(list);
	int rc = table_text(&table, stream);

	fputs("\nexits that left a record; shares are within a level; `timed` of them say how long they took\n",
	      stream);
	observed_print(&list->contents->report, observed_records_text, stream);
	return rc;
}

int exit_groups_csv(const struct group_list *list, FILE *stream)
{
	const struct table table = exit_groups_table(list);

	return table_csv(&table, stream);
}

int exit_groups_json(const struct group_list *list, FILE *stream)
{
	const struct table table = exit_groups_table(list);
	json_t *root = json_begin("sidestep.ledger.groups", GROUPS_VERSION);

	json_object_set_new(root, "by", json_string(group_key_names[list->by]));
	json_object_set_new(root, "recorded", observed_json(&list->contents->report, observed_records_text));
	json_object_set_new(root, "exits", table_json(&table));
	return json_finish(root, stream);
}
