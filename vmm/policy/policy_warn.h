/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy file permits that may not be meant, with its place in the file. */
#ifndef VMM_POLICY_POLICY_WARN_H
#define VMM_POLICY_POLICY_WARN_H

#include "vmm/policy/policy_file.h"

/* Adds warnings about a file that has been loaded without errors. Returns 0 or -ENOMEM. */
int policy_warn(const struct policy_file *file, const struct policy_subject *subject,
		struct diagnostics *diagnostics);

#endif
