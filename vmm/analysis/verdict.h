/* SPDX-License-Identifier: GPL-2.0-only */
/* What was observed of an operation, held against the reference model. */
#ifndef VMM_ANALYSIS_VERDICT_H
#define VMM_ANALYSIS_VERDICT_H

#include "views/expect.h"
#include "vmm/analysis/report.h"

/* Sets the verdict of a row that has been measured and, if it is not VERDICT_PASS, the note that says why. `batches` is
 * how many times the operation had to be performed: by each vCPU once. */
void verdict_judge(struct report_row *row, const struct ss_operation *op,
		   const struct expect_environment *environment, uint64_t batches);

#endif
