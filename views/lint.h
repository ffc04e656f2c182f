/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of policy_lint() share. */
#ifndef VIEWS_LINT_H
#define VIEWS_LINT_H

#include "policy_lint.h"
#include "policy_survey.h"
#include "view_map.h"
#include "vmfunc_bytes.h"

/* A region that is a gate, and what the first view shows there that has it. */
struct lint_gate {
	uint32_t region;
	uint64_t shown, size;
};

struct lint {
	const struct lint_subject *subject;
	lint_warning_fn *visit;
	void *data;
	struct vmfunc_bytes vmfunc;
	struct view_map map; /* of the view looked at */
	struct view_piece *by_shown;
	struct lint_gate *gates; /* of all views, each once */
	size_t gate_count;
	struct policy_survey survey;
	struct lint_warning *across; /* by region of the view looked at */
};

static inline void lint_warn(const struct lint *lint,
			     struct lint_warning warning)
{
	lint->visit(lint->data, &warning);
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

static inline uint64_t lint_shown_end(const struct view_piece *piece)
{
	return piece->shown + (piece->end - piece->start);
}

static inline bool lint_is_gate(const struct lint *lint, uint32_t view,
				uint32_t region)
{
	const struct lint_view *notes = &lint->subject->views[view];

	for (size_t i = 0; i < notes->gate_count; i++) {
		if (notes->gates[i] == region)
			return true;
	}
	return false;
}

/* Code that can be written, by the view whose map is filled in or by another.
 */
void lint_code(const struct lint *lint, uint32_t view);

/* The gates of that view, and what it can write of any view's. */
void lint_gates(const struct lint *lint, uint32_t view);
void lint_collect_gates(struct lint *lint);

#endif
