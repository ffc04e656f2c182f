/* SPDX-License-Identifier: GPL-2.0-only */
/* Compares two ledgers. */
#ifndef VMM_ANALYSIS_DIFF_MAKE_H
#define VMM_ANALYSIS_DIFF_MAKE_H

#include "vmm/analysis/diff.h"

/* The contents, the key, the limits and what counts have been set. Returns 0 or -ENOMEM; diff_finish() is due
 * either way. */
int diff_make(struct diff *diff);
void diff_finish(struct diff *diff);

#endif
