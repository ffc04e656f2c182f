/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report says about interrupts and pinned buffers. */
#ifndef VMM_REPORT_REPORT_IO_H
#define VMM_REPORT_REPORT_IO_H

#include <jansson.h>

#include "vmm/analysis/report.h"

/* Lines below the table; nothing if there is nothing to say. */
void report_io_text(const struct report *report, FILE *stream);

json_t *report_interrupts_json(const struct report *report);
json_t *report_pins_json(const struct report *report);

#endif
