/* SPDX-License-Identifier: GPL-2.0-only */
/* By what two ledgers can be compared. */
#ifndef VMM_ANALYSIS_DIFF_KINDS_H
#define VMM_ANALYSIS_DIFF_KINDS_H

#include "vmm/analysis/diff.h"

/* By operation; of any guest, by what recorded exits are counted by, but for the operation. */
extern const struct diff_kind diff_operations, diff_groups;

#endif
