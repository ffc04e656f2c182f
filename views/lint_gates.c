/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/lint.h"

static bool holds_vmfunc(struct lint *lint,
			 const struct view_piece *piece)
{
	size_t i = vmfunc_bytes_from(&lint->vmfunc, piece->shown);

	for (; i < lint->vmfunc.count &&
	       lint->vmfunc.places[i] < view_piece_shown_end(piece);
	     i++) {
		if (vmfunc_bytes_at(&lint->vmfunc, &lint->map,
				    piece->start + (lint->vmfunc.places[i] -
						    piece->shown)))
			return true;
	}
	return false;
}

/* Whether a view may execute a region; if so, what it shows there. */
static bool executes(const struct lint *lint, uint32_t view, uint32_t region,
		     uint64_t *ret_shown)
{
	const struct view_policy *policy = lint->subject->policy;
	const struct view_rule *rule = policy_rule(policy, view, region);
	const unsigned rights =
		rule ? rule->rights : policy->views[view].rights;

	*ret_shown = rule && rule->remapped ? rule->target.v
					    : policy->regions[region].gpa.v;
	return rights & VIEW_EXECUTE;
}

/* The gate as other views have it; this one may execute it. */
static void compare_gate(struct lint *lint, uint32_t view,
			 const struct view_piece *piece)
{
	const struct lint_gate *gate =
		&lint->gates[lint->gate_of[piece->region] - 1];
	struct lint_warning warning =
		lint_warning_of(LINT_GATE_ALONE, view, piece->region);
	uint64_t shown;

	warning.gpa = gpa_at(piece->start);
	if (gate->executors == 1)
		lint_warn(lint, warning);
	if (!gate->differs)
		return;
	warning.kind = LINT_GATE_DIFFERS;
	for (uint32_t v = 0; v < lint->subject->policy->view_count; v++) {
		warning.other_view = v;
		if (executes(lint, v, piece->region, &shown) &&
		    shown != piece->shown)
			lint_warn(lint, warning);
	}
}

static void check_gates(struct lint *lint, uint32_t view)
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

/* The piece shows something of the gate, under whatever address. */
static void check_piece(struct lint *lint, uint32_t view,
			const struct lint_gate *gate,
			const struct view_piece *piece)
{
	struct lint_warning warning =
		lint_warning_of(LINT_GATE_WRITABLE, view, piece->region);

	warning.other_region = gate->region;
	warning.gpa = gpa_at(piece->start);
	if (piece->rights & VIEW_WRITE)
		lint_warn(lint, warning);
}

static void check_gate_writable(struct lint *lint, uint32_t view,
				const struct lint_gate *gate)
{
	const struct view_map *map = &lint->map;
	const uint64_t end = gate->shown + gate->size;

	for (size_t i = view_map_from(map, gate->shown);
	     i < map->count && map->pieces[i].start < end; i++) {
		if (map->pieces[i].shown == map->pieces[i].start)
			check_piece(lint, view, gate, &map->pieces[i]);
	}
	for (size_t i = 0;
	     i < map->moved_count && map->moved[i].shown < end; i++) {
		if (view_piece_shown_end(&map->moved[i]) > gate->shown)
			check_piece(lint, view, gate, &map->moved[i]);
	}
}

void lint_gates(struct lint *lint, uint32_t view)
{
	check_gates(lint, view);
	for (size_t i = 0; i < lint->gate_count; i++)
		check_gate_writable(lint, view, &lint->gates[i]);
}

/* What the views make of a gate; this one is the first that has it. */
static struct lint_gate gate_at(const struct lint *lint, uint32_t view,
				uint32_t region)
{
	const struct view_policy *policy = lint->subject->policy;
	struct lint_gate gate = {
		.region = region,
		.size = policy->regions[region].size,
	};
	uint64_t shown, first = 0;

	executes(lint, view, region, &gate.shown);
	for (uint32_t v = 0; v < policy->view_count; v++) {
		if (!executes(lint, v, region, &shown))
			continue;
		if (gate.executors++ == 0)
			first = shown;
		gate.differs |= shown != first;
	}
	return gate;
}

void lint_collect_gates(struct lint *lint)
{
	for (uint32_t v = 0; v < lint->subject->policy->view_count; v++) {
		const struct lint_view *notes = &lint->subject->views[v];

		for (size_t i = 0; i < notes->gate_count; i++) {
			const uint32_t region = notes->gates[i];

			if (lint->gate_of[region] != 0)
				continue;
			lint->gates[lint->gate_count++] =
				gate_at(lint, v, region);
			lint->gate_of[region] = (uint32_t)lint->gate_count;
		}
	}
}
