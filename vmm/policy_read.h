/* SPDX-License-Identifier: GPL-2.0-only */
/* From the settings of a policy file to a policy: what each word means, not whether it makes sense. */
#ifndef VMM_POLICY_READ_H
#define VMM_POLICY_READ_H

#include "policy_file.h"

/* Fills the file's regions, views and policy. Faults go to the diagnostics. Returns 0 or -ENOMEM. */
int policy_read(struct policy_file *file, const struct policy_subject *subject,
		struct diagnostics *diagnostics);

#endif
