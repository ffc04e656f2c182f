/* SPDX-License-Identifier: GPL-2.0-only */
/* What was observed of an operation, held against the reference model. */
#ifndef VMM_ANALYSIS_VERDICT_H
#define VMM_ANALYSIS_VERDICT_H

#include "views/expect.h"
#include "vmm/analysis/report.h"

/* What the model says of so many repetitions of the operation with this number in the catalogue. */
void verdict_expect(const struct ss_operation *op, uint32_t number, uint32_t repetitions,
		    const struct expect_environment *environment, struct record_expectation *ret_record);

/* Sets the verdict of a row that has been measured, as the next, by what was expected of one batch. */
void verdict_compare(struct report_row *row, const struct record_expectation *expected, enum host_backend backend,
		     uint64_t batches);

/* Sets the verdict of a row that has been measured and, if it is not VERDICT_PASS, the note that says why. `batches` is
 * how many times the operation had to be performed: by each vCPU once. */
void verdict_judge(struct report_row *row, const struct ss_operation *op,
		   const struct expect_environment *environment, uint64_t batches);

#endif
