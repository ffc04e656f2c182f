/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_POLICY_LINT_H
#define VIEWS_POLICY_LINT_H

#include "views/lint_subject.h"

/* Calls `visit` for everything that is found. Returns 0 or -ENOMEM. */
int policy_lint(const struct lint_subject *subject, lint_warning_fn *visit,
		void *data);

/* Key and text of a kind; NULL for no row of the table. */
const char *lint_key(enum lint_kind kind);
const char *lint_text(enum lint_kind kind);

#endif
