/* SPDX-License-Identifier: GPL-2.0-only */
/* How `sidestep report` writes each of its formats. */
#ifndef VMM_REPORT_LEDGER_FORMATS_H
#define VMM_REPORT_LEDGER_FORMATS_H

#include "vmm/report/report_ledger.h"
#include "vmm/report/report_writers.h"

/* A format has a table by operation, one of violations and one by any other key, or it shows the ledger as a whole; `diff`
 * writes what two ledgers differ in. NULL where it has no such thing. */
struct ledger_format {
	const char *name;
	report_writer *operations, *violations;
	group_writer *groups;
	ledger_writer *whole;
	diff_writer *diff;
};

extern const struct ledger_format ledger_formats[];
extern const size_t ledger_format_count;

/* NULL for an unknown name. */
const struct ledger_format *ledger_format_by_name(const char *name);

/* Writes a ledger; `by` counts where there are tables. Returns 0 or -ENOMEM. */
int ledger_format_write(const struct ledger_format *format, struct ledger_index *contents,
			enum group_key by, enum report_weight weight, FILE *stream);

#endif
