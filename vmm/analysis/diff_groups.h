/* SPDX-License-Identifier: GPL-2.0-only */
/* Of any guest: by what recorded exits are counted by, but for the operation. */
#ifndef VMM_ANALYSIS_DIFF_GROUPS_H
#define VMM_ANALYSIS_DIFF_GROUPS_H

#include "vmm/analysis/diff.h"

extern const struct diff_kind diff_groups;

#endif
