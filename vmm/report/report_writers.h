/* SPDX-License-Identifier: GPL-2.0-only */
/* The writers, one for each format of what was run, of exits by group, and of differences. They return 0 or -ENOMEM;
 * errors of the stream are found when it is closed. */
#ifndef VMM_REPORT_REPORT_WRITERS_H
#define VMM_REPORT_REPORT_WRITERS_H

#include <jansson.h>

#include "vmm/analysis/diff.h"
#include "vmm/analysis/exit_groups.h"
#include "vmm/analysis/report.h"

typedef int report_writer(const struct report *report, FILE *stream);
report_writer report_text, report_csv, report_json, report_tap, report_junit;

/* The document on forbidden accesses alone. */
report_writer violations_document;

typedef int group_writer(const struct group_list *list, FILE *stream);

/* Text shows the rows that differ, the others all. TAP and JUnit have a test for each row. */
typedef int diff_writer(const struct diff *diff, FILE *stream);
diff_writer diff_text, diff_csv, diff_json, diff_tap, diff_junit;

/* Writes the line that says what was run where. */
void report_run(const struct report *report, FILE *stream);

/* The document that --format json writes of a report; what every document of a run begins with: what was run where, by
 * which command and when, and by what exits were counted and recorded. */
json_t *json_report(const struct report *report);
void json_run(json_t *object, const struct report *report);

#endif
