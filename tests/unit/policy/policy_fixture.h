/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of policy files share: a guest, where its views are, and what a text comes to for them. */
#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/policy/policy_load.h"

/* A guest as a reader of policy files sees it: sections and symbols that a region can be, and that it cannot. */
extern const struct image fixture_guest;

/* 16 MiB of memory and a device, views by EPT, violations as #VE. */
extern const struct view_target fixture_ept;

/* What policy_load() made of a text. Large: tests have it on the heap. */
struct loaded {
	struct policy_file file;
	struct diagnostics diagnostics;
	struct error error;
	int rc;
};

/*
 * Has policy_load() read a file of these bytes, as a policy of the fixture's guest for an engine named "test".
 * What it returns is `rc`; policy_file_finish() is due in all cases. The test fails if the file cannot be made.
 */
void fixture_load(struct loaded *loaded, const char *text, size_t size, const struct view_target *target,
		  bool lenient);

/* The same for another guest, or engine. */
void fixture_load_for(struct loaded *loaded, const char *text, size_t size, const struct policy_subject *subject);

/*
 * Writes to `line`, which has room for `size` bytes, where each diagnostic that was kept is and what it is:
 * "LINE:COLUMN KEY", joined by ", ". What has no room is left out.
 */
void fixture_summarize(const struct diagnostics *diagnostics, char *line, size_t size);

#endif
