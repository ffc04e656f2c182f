/* SPDX-License-Identifier: GPL-2.0-only */
/* The formats that show a ledger as a whole, not as a table. */
#ifndef VMM_REPORT_REPORT_LEDGER_H
#define VMM_REPORT_REPORT_LEDGER_H

#include <stdio.h>

#include "vmm/analysis/ledger_index.h"

/* What counts in folded stacks. */
enum report_weight { WEIGHT_EXITS, WEIGHT_TICKS };

/* The writers return 0 or -ENOMEM. */
typedef int ledger_writer(struct ledger_index *contents, enum report_weight weight, FILE *stream);

/* Trace Event JSON, the object format, for Perfetto and speedscope. */
ledger_writer report_trace;

/* A page for a browser, with charts. */
ledger_writer report_html;

/* Folded stacks of the recorded exits, for flame graphs. By ticks, stacks of whose handling nothing was observed are
 * not there: a line has room for no word. */
ledger_writer report_folded;

/* How many exits no stack of ticks stands for, because the end of their handling was not seen. */
uint64_t folded_left_out(struct ledger_index *contents);

#endif
