/* SPDX-License-Identifier: GPL-2.0-only */
/* By operation. */
#ifndef VMM_ANALYSIS_DIFF_OPERATIONS_H
#define VMM_ANALYSIS_DIFF_OPERATIONS_H

#include "vmm/analysis/diff.h"

extern const struct diff_kind diff_operations;

#endif
