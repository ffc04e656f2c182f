/* SPDX-License-Identifier: GPL-2.0-only */
/* From a policy file to a policy that has been checked. */
#ifndef VMM_POLICY_POLICY_LOAD_H
#define VMM_POLICY_POLICY_LOAD_H

#include "vmm/policy/policy_file.h"

/*
 * Reads a policy file and checks it against its subject. Returns 0, perhaps with warnings, or a
 * negative errno: either with errors in `diagnostics` and a line in `error` that counts them, or
 * with a line that says why the file could not be read. policy_file_finish() is due in all cases.
 */
int policy_load(struct policy_file *file, const char *path, const struct policy_subject *subject,
		struct diagnostics *diagnostics, struct error *error);

#endif
