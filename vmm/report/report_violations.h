/* SPDX-License-Identifier: GPL-2.0-only */
/* The accesses that views forbade, in every format. */
#ifndef VMM_REPORT_REPORT_VIOLATIONS_H
#define VMM_REPORT_REPORT_VIOLATIONS_H

#include "vmm/report/report_writers.h"

/* The part of a report on operations: nothing if there were none, else the first of them. Returns 0 or
 * -ENOMEM. */
int violations_text(const struct report *report, FILE *stream);

json_t *violations_json(const struct report *report);

/* How many there were, those that were not kept apart included. */
uint64_t violations_total(const struct report *report);

/* Reports on nothing else. */
report_writer violations_table, violations_csv;

#endif
