/* SPDX-License-Identifier: GPL-2.0-only */
#include "lint.h"

#include "effect.h"

static bool holds_vmfunc(const struct lint *lint,
			 const struct view_piece *piece)
{
	size_t i = vmfunc_bytes_from(&lint->vmfunc, piece->shown);

	for (; i < lint->vmfunc.count &&
	       lint->vmfunc.places[i] < lint_shown_end(piece);
	     i++) {
		if (vmfunc_bytes_at(&lint->vmfunc, &lint->map,
				    piece->start + (lint->vmfunc.places[i] -
						    piece->shown)))
			return true;
	}
	return false;
}

/* The gate as other views have it. */
static void compare_gate(const struct lint *lint, uint32_t view,
			 const struct view_piece *gate)
{
	const struct view_policy *policy = lint->subject->policy;
	struct lint_warning warning =
		lint_warning_of(LINT_GATE_DIFFERS, view, gate->region);
	bool shared = false;

	warning.gpa = gpa_at(gate->start);
	for (uint32_t v = 0; v < policy->view_count; v++) {
		const struct view_effect effect =
			policy_effect(policy, v, gpa_at(gate->start));

		if (v == view || !(effect.rights & VIEW_EXECUTE))
			continue;
		shared = true;
		warning.other_view = v;
		if (effect.target.v != gate->shown)
			lint_warn(lint, warning);
	}
	if (shared)
		return;
	warning.kind = LINT_GATE_ALONE;
	warning.other_view = POLICY_NO_INDEX;
	lint_warn(lint, warning);
}

static void check_gates(const struct lint *lint, uint32_t view)
{
	const struct lint_view *notes = &lint->subject->views[view];

	for (size_t i = 0; i < notes->gate_count; i++) {
		const gpa_t gpa =
			lint->subject->policy->regions[notes->gates[i]].gpa;
		const struct view_piece *gate = view_map_at(&lint->map, gpa.v);
		struct lint_warning warning = lint_warning_of(
			LINT_GATE_NOT_EXECUTABLE, view, notes->gates[i]);

		warning.gpa = gpa;
		if (!(gate->rights & VIEW_EXECUTE)) {
			lint_warn(lint, warning);
			continue;
		}
		warning.kind = LINT_GATE_WITHOUT_VMFUNC;
		if (!holds_vmfunc(lint, gate))
			lint_warn(lint, warning);
		compare_gate(lint, view, gate);
	}
}

/* Whether the view can write what it finds at the gate, under any address. */
static void check_gate_writable(const struct lint *lint, uint32_t view,
				const struct lint_gate *gate)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];
		struct lint_warning warning = lint_warning_of(
			LINT_GATE_WRITABLE, view, piece->region);

		if (!(piece->rights & VIEW_WRITE) ||
		    piece->shown >= gate->shown + gate->size ||
		    gate->shown >= lint_shown_end(piece))
			continue;
		warning.other_region = gate->region;
		warning.gpa = gpa_at(piece->start);
		lint_warn(lint, warning);
	}
}

void lint_gates(const struct lint *lint, uint32_t view)
{
	check_gates(lint, view);
	for (size_t i = 0; i < lint->gate_count; i++)
		check_gate_writable(lint, view, &lint->gates[i]);
}

static bool is_known(const struct lint *lint, uint32_t region)
{
	for (size_t i = 0; i < lint->gate_count; i++) {
		if (lint->gates[i].region == region)
			return true;
	}
	return false;
}

void lint_collect_gates(struct lint *lint)
{
	const struct view_policy *policy = lint->subject->policy;

	for (uint32_t v = 0; v < policy->view_count; v++) {
		const struct lint_view *notes = &lint->subject->views[v];

		for (size_t i = 0; i < notes->gate_count; i++) {
			const uint32_t region = notes->gates[i];
			const struct view_region *place =
				&policy->regions[region];

			if (is_known(lint, region))
				continue;
			lint->gates[lint->gate_count++] = (struct lint_gate){
				.region = region,
				.shown = policy_effect(policy, v, place->gpa)
						 .target.v,
				.size = place->size,
			};
		}
	}
}
