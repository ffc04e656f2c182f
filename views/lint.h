/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of policy_lint() share. */
#ifndef VIEWS_LINT_H
#define VIEWS_LINT_H

#include "views/lint_subject.h"
#include "views/policy_survey.h"
#include "views/view_map.h"
#include "views/vmfunc_bytes.h"

/* A region that is a gate, and what the first view shows there that has it. */
struct lint_gate {
	uint32_t region;
	uint64_t shown, size;
	uint32_t executors; /* views that may execute it */
	bool differs;	    /* they do not all show the same there */
};

/* The first two views that execute memory which they cannot write, without
 * having said that they mean it. */
struct lint_executors {
	uint32_t first, second;
};

struct lint {
	const struct lint_subject *subject;
	lint_warning_fn *visit;
	void *data;
	struct vmfunc_bytes vmfunc;
	struct view_map map;	 /* of the view looked at */
	struct lint_gate *gates; /* of all views, each once */
	size_t gate_count;
	uint32_t *gate_of; /* by region: index of its gate plus one; 0: none */
	bool *own_gates;   /* by region: the view looked at is entered there */
	struct policy_survey survey;
	struct lint_executors *executors; /* of what the survey found shared */
	struct lint_warning *across; /* by region of the view looked at */
	bool stopped;
};

/* Tells the visitor, unless it has seen enough. */
static inline void lint_warn(struct lint *lint, struct lint_warning warning)
{
	if (!lint->stopped)
		lint->stopped = !lint->visit(lint->data, &warning);
}

static inline struct lint_warning
lint_warning_of(enum lint_kind kind, uint32_t view, uint32_t region)
{
	return (struct lint_warning){
		.kind = kind,
		.view = view,
		.region = region,
		.other_view = POLICY_NO_INDEX,
		.other_region = POLICY_NO_INDEX,
		.need = POLICY_NO_INDEX,
	};
}

/* Who executes what is shared. */
void lint_find_executors(struct lint *lint);

/* Code that can be written, by the view whose map is filled in or by another.
 */
void lint_code(struct lint *lint, uint32_t view);

/* The gates of that view, and what it can write of any view's. */
void lint_gates(struct lint *lint, uint32_t view);
void lint_collect_gates(struct lint *lint);

#endif
