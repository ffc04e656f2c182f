/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/diff_make.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/diff_kinds.h"

/* In the words of the first reason that applies. */
static void explain_nothing(struct diff *diff)
{
	const struct report *a = &diff->contents[0]->report, *b = &diff->contents[1]->report;
	bool operations = diff->by == GROUP_OPERATION;
	const char *what = operations ? "operation" : "exit that left a record";
	const char *hint = operations ? "; --by reason, rip or symbol compares ledgers without operations"
				      : "";
	bool only_a = diff->changes[DIFF_ONLY_A], only_b = diff->changes[DIFF_ONLY_B];
	char *text = diff->nothing;
	size_t size = sizeof(diff->nothing);

	if (diff->row_count == 0)
		snprintf(text, size, "neither ledger has an %s%s", what, hint);
	else if (diff->changes[DIFF_NOT_COMPARED] || !operations)
		snprintf(text, size, "nothing that is in both was observed in both%s",
			 diff->exits_only ? "; without --exits-only ticks are compared too" : "");
	else if (only_a != only_b)
		snprintf(text, size, "ledger %s has no operation%s", only_a ? "B" : "A", hint);
	else if (strcmp(report_engine(a), report_engine(b)) != 0)
		snprintf(text, size, "no operation is in both: A is of engine %.90s, B of engine %.90s", report_engine(a),
			 report_engine(b));
	else
		snprintf(text, size, "no operation is in both: A is of guest %.90s, B of guest %.90s",
			 a->guest, b->guest);
}

int diff_make(struct diff *diff)
{
	int rc;

	diff->kind = diff->by == GROUP_OPERATION ? &diff_operations : &diff_groups;
	rc = diff->kind->make(diff);
	if (rc == 0 && diff->compared == 0)
		explain_nothing(diff);
	return rc;
}

void diff_finish(struct diff *diff)
{
	free(diff->rows);
	exit_groups_finish(&diff->groups[0]);
	exit_groups_finish(&diff->groups[1]);
	diff->rows = NULL;
	diff->row_count = 0;
}
