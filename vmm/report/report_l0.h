/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report says of exits at L0 that were seen one by one. */
#ifndef VMM_REPORT_REPORT_L0_H
#define VMM_REPORT_REPORT_L0_H

#include <jansson.h>

#include "vmm/analysis/report.h"

/* Lines below the table; nothing if there was nothing to see. */
void report_l0_text(const struct report *report, FILE *stream);

/* The same for all operations and for one; "not observed" if nothing recorded them. */
json_t *report_l0_json(const struct report *report);
json_t *report_l0_row_json(const struct report *report, const struct operation_summary *operation);

#endif
