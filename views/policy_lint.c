/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "effect.h"
#include "policy_survey.h"
#include "view_map.h"
#include "vmfunc_bytes.h"

#define WRITE_AND_EXECUTE (VIEW_WRITE | VIEW_EXECUTE)

/* A region that is a gate, and what the first view shows there that has it. */
struct gate {
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
	struct gate *gates; /* of all views, each once */
	size_t gate_count;
	struct policy_survey survey;
	struct lint_warning *across; /* by region of the view looked at */
};

static void warn(const struct lint *lint, struct lint_warning warning)
{
	lint->visit(lint->data, &warning);
}

static struct lint_warning warning_of(enum lint_kind kind, uint32_t view,
				      uint32_t region)
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

static bool is_gate(const struct lint *lint, uint32_t view, uint32_t region)
{
	const struct lint_view *notes = &lint->subject->views[view];

	for (size_t i = 0; i < notes->gate_count; i++) {
		if (notes->gates[i] == region)
			return true;
	}
	return false;
}

/* One warning for what the view's default rights permit, one for each rule. */
static void check_write_execute(const struct lint *lint, uint32_t view)
{
	struct lint_warning rest = warning_of(LINT_WRITE_EXECUTE, view,
					      POLICY_NO_INDEX);

	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];
		struct lint_warning warning = warning_of(LINT_WRITE_EXECUTE, view,
							 piece->region);

		if ((piece->rights & WRITE_AND_EXECUTE) != WRITE_AND_EXECUTE)
			continue;
		warning.gpa = gpa_at(piece->start);
		warning.count = piece->end - piece->start;
		if (piece->ruled) {
			warn(lint, warning);
			continue;
		}
		if (rest.count == 0)
			rest.gpa = warning.gpa;
		rest.count += warning.count;
	}
	if (rest.count != 0)
		warn(lint, rest);
}

static int compare_shown(const void *a, const void *b)
{
	const struct view_piece *left = a;
	const struct view_piece *right = b;

	if (left->shown != right->shown)
		return left->shown > right->shown ? 1 : -1;
	return (left->start > right->start) - (left->start < right->start);
}

static uint64_t shown_end(const struct view_piece *piece)
{
	return piece->shown + (piece->end - piece->start);
}

static void warn_alias(const struct lint *lint, uint32_t view,
		       const struct view_piece *piece,
		       const struct view_piece *other)
{
	struct lint_warning warning = warning_of(LINT_WRITE_EXECUTE_ALIAS, view,
						 piece->region);

	/* The one that is remapped is the one to say something about. */
	if (piece->shown == piece->start) {
		warning.region = other->region;
		warning.other_region = piece->region;
		warning.gpa = gpa_at(other->start);
	} else {
		warning.other_region = other->region;
		warning.gpa = gpa_at(piece->start);
	}
	warn(lint, warning);
}

/*
 * Pieces in the order of what they show: of those that start before one, if any
 * overlaps it, the one that reaches furthest does.
 */
static void check_alias(const struct lint *lint, uint32_t view)
{
	const struct view_piece *written = NULL, *executed = NULL;
	size_t count = 0;

	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];
		const unsigned both = piece->rights & WRITE_AND_EXECUTE;

		if (both == VIEW_WRITE || both == VIEW_EXECUTE)
			lint->by_shown[count++] = *piece;
	}
	qsort(lint->by_shown, count, sizeof(*lint->by_shown), compare_shown);
	for (size_t i = 0; i < count; i++) {
		const struct view_piece *piece = &lint->by_shown[i];
		const bool writes = piece->rights & VIEW_WRITE;
		const struct view_piece *other = writes ? executed : written;
		const struct view_piece **own = writes ? &written : &executed;

		if (other && shown_end(other) > piece->shown)
			warn_alias(lint, view, piece, other);
		if (!*own || shown_end(piece) > shown_end(*own))
			*own = piece;
	}
}

/* The first view but this one that executes the memory, or POLICY_NO_INDEX. If
 * it writes it too, that is worth a warning of its own. */
static uint32_t other_executor(const struct lint *lint, uint32_t view,
			       const struct shared_memory *shared)
{
	for (uint32_t v = 0; v < lint->subject->policy->view_count; v++) {
		if (v != view && view_set_has(&shared->executors, v) &&
		    !view_set_has(&shared->writers, v) &&
		    !lint->subject->views[v].writes_code)
			return v;
	}
	return POLICY_NO_INDEX;
}

/* The piece by which the view writes the memory. */
static const struct view_piece *writing_piece(const struct lint *lint, gpa_t gpa)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];

		if (piece->rights & VIEW_WRITE && gpa.v >= piece->shown &&
		    gpa.v < shown_end(piece))
			return piece;
	}
	return NULL;
}

/* Where the view writes memory that another one executes: one warning for each
 * region, and one for the rest. */
static void check_across(const struct lint *lint, uint32_t view)
{
	const size_t regions = lint->subject->policy->region_count;

	memset(lint->across, 0, (regions + 1) * sizeof(*lint->across));
	for (size_t i = 0; i < lint->survey.shared_count; i++) {
		const struct shared_memory *shared = &lint->survey.shared[i];
		const uint32_t other = other_executor(lint, view, shared);
		const struct view_piece *piece;
		struct lint_warning *warning;

		if (!view_set_has(&shared->writers, view) ||
		    other == POLICY_NO_INDEX)
			continue;
		piece = writing_piece(lint, shared->gpa);
		warning = &lint->across[piece->region < regions ?
						piece->region :
						regions];
		if (warning->count == 0) {
			*warning = warning_of(LINT_WRITE_EXECUTE_ACROSS, view,
					      piece->region);
			warning->other_view = other;
			warning->gpa = gpa_at(piece->start + shared->gpa.v -
					      piece->shown);
		}
		warning->count += shared->size;
	}
	for (size_t i = 0; i <= regions; i++) {
		if (lint->across[i].count != 0)
			warn(lint, lint->across[i]);
	}
}

/* Every page of an executable piece at which a VMFUNC starts. */
static void check_vmfunc_in(const struct lint *lint, uint32_t view,
			    const struct view_piece *piece)
{
	struct lint_warning warning = warning_of(LINT_VMFUNC, view,
						 piece->region);
	size_t i = vmfunc_bytes_from(&lint->vmfunc, piece->shown);

	for (; i < lint->vmfunc.count &&
	       lint->vmfunc.places[i] < shown_end(piece);
	     i++) {
		const uint64_t at =
			piece->start + (lint->vmfunc.places[i] - piece->shown);

		if (!vmfunc_bytes_at(&lint->vmfunc, &lint->map, at))
			continue;
		if (warning.count != 0 && (at ^ warning.gpa.v) < GPA_PAGE_SIZE) {
			warning.count++;
			continue;
		}
		if (warning.count != 0)
			warn(lint, warning);
		warning.gpa = gpa_at(at);
		warning.count = 1;
	}
	if (warning.count != 0)
		warn(lint, warning);
}

static void check_vmfunc(const struct lint *lint, uint32_t view)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];

		if (piece->rights & VIEW_EXECUTE &&
		    !is_gate(lint, view, piece->region))
			check_vmfunc_in(lint, view, piece);
	}
}

static bool holds_vmfunc(const struct lint *lint, const struct view_piece *piece)
{
	size_t i = vmfunc_bytes_from(&lint->vmfunc, piece->shown);

	for (; i < lint->vmfunc.count &&
	       lint->vmfunc.places[i] < shown_end(piece);
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
	struct lint_warning warning = warning_of(LINT_GATE_DIFFERS, view,
						 gate->region);
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
			warn(lint, warning);
	}
	if (shared)
		return;
	warning.kind = LINT_GATE_ALONE;
	warning.other_view = POLICY_NO_INDEX;
	warn(lint, warning);
}

static void check_gates(const struct lint *lint, uint32_t view)
{
	const struct lint_view *notes = &lint->subject->views[view];

	for (size_t i = 0; i < notes->gate_count; i++) {
		const gpa_t gpa =
			lint->subject->policy->regions[notes->gates[i]].gpa;
		const struct view_piece *gate = view_map_at(&lint->map, gpa.v);
		struct lint_warning warning = warning_of(
			LINT_GATE_NOT_EXECUTABLE, view, notes->gates[i]);

		warning.gpa = gpa;
		if (!(gate->rights & VIEW_EXECUTE)) {
			warn(lint, warning);
			continue;
		}
		warning.kind = LINT_GATE_WITHOUT_VMFUNC;
		if (!holds_vmfunc(lint, gate))
			warn(lint, warning);
		compare_gate(lint, view, gate);
	}
}

/* Whether the view can write what it finds at the gate, under any address. */
static void check_gate_writable(const struct lint *lint, uint32_t view,
				const struct gate *gate)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];
		struct lint_warning warning = warning_of(LINT_GATE_WRITABLE, view,
							 piece->region);

		if (!(piece->rights & VIEW_WRITE) ||
		    piece->shown >= gate->shown + gate->size ||
		    gate->shown >= shown_end(piece))
			continue;
		warning.other_region = gate->region;
		warning.gpa = gpa_at(piece->start);
		warn(lint, warning);
	}
}

static bool has_rule(const struct view_policy *policy, uint32_t view,
		     const char *region)
{
	const struct view *rules = &policy->views[view];
	uint32_t index;

	if (policy_find_region(policy, region, &index) != 0)
		return false;
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (rules->rules[i].region == index)
			return true;
	}
	return false;
}

static void check_need(const struct lint *lint, uint32_t view, uint32_t index)
{
	const struct lint_need *need = &lint->subject->needs[index];
	struct lint_warning warning = warning_of(LINT_NEED, view,
						 POLICY_NO_INDEX);
	const uint64_t end = need->range.start.v + need->range.size;
	uint64_t at = need->range.start.v;

	if (has_rule(lint->subject->policy, view, need->name))
		return;
	while (at < end) {
		const struct view_piece *piece = view_map_at(&lint->map, at);

		if (!piece || (piece->rights & need->rights) != need->rights ||
		    piece->shown != piece->start)
			break;
		at = piece->end;
	}
	warning.need = index;
	warning.gpa = gpa_at(at);
	if (at < end)
		warn(lint, warning);
}

static void check_start(const struct lint *lint)
{
	const uint64_t at = lint->subject->start.v;
	const struct view_piece *piece = view_map_at(&lint->map, at);
	struct lint_warning warning = warning_of(LINT_START, 0,
						 POLICY_NO_INDEX);

	if (piece)
		warning.region = piece->region;
	warning.gpa = lint->subject->start;
	if (!piece || !(piece->rights & VIEW_EXECUTE) ||
	    piece->shown != piece->start)
		warn(lint, warning);
}

static void lint_view(struct lint *lint, uint32_t view)
{
	view_map_fill(&lint->map, view);
	if (!lint->subject->views[view].writes_code) {
		check_write_execute(lint, view);
		check_alias(lint, view);
	}
	check_across(lint, view);
	check_vmfunc(lint, view);
	check_gates(lint, view);
	for (size_t i = 0; i < lint->gate_count; i++)
		check_gate_writable(lint, view, &lint->gates[i]);
	for (size_t i = 0; i < lint->subject->need_count; i++)
		check_need(lint, view, (uint32_t)i);
	if (view == 0)
		check_start(lint);
}

static bool is_known(const struct lint *lint, uint32_t region)
{
	for (size_t i = 0; i < lint->gate_count; i++) {
		if (lint->gates[i].region == region)
			return true;
	}
	return false;
}

static void collect_gates(struct lint *lint)
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
			lint->gates[lint->gate_count++] = (struct gate){
				.region = region,
				.shown = policy_effect(policy, v, place->gpa)
						 .target.v,
				.size = place->size,
			};
		}
	}
}

int policy_lint(const struct lint_subject *subject, lint_warning_fn *visit,
		void *data)
{
	const struct view_policy *policy = subject->policy;
	const struct guest_memory *memory = subject->memory;
	struct lint lint = { .subject = subject, .visit = visit, .data = data };
	int result = vmfunc_bytes_find(&lint.vmfunc, subject);

	if (result == 0)
		result = view_map_init(&lint.map, policy, memory);
	lint.by_shown = calloc(2 * policy->region_count + memory->count,
			       sizeof(*lint.by_shown));
	lint.gates = calloc(policy->region_count + 1, sizeof(*lint.gates));
	lint.across = calloc(policy->region_count + 1, sizeof(*lint.across));
	if (!lint.by_shown || !lint.gates || !lint.across)
		result = -ENOMEM;
	if (result == 0)
		result = policy_survey(&lint.survey, policy, memory);
	if (result == 0)
		collect_gates(&lint);
	for (uint32_t v = 0; v < policy->view_count && result == 0; v++)
		lint_view(&lint, v);
	free(lint.by_shown);
	policy_survey_finish(&lint.survey);
	free(lint.across);
	free(lint.gates);
	view_map_finish(&lint.map);
	vmfunc_bytes_finish(&lint.vmfunc);
	return result;
}

static const struct {
	const char *key;
	const char *text;
} rows[LINT_COUNT] = {
#define LINT_ROW(name, key, text) [LINT_##name] = { key, text },
	LINT_TABLE(LINT_ROW)
#undef LINT_ROW
};

const char *lint_key(enum lint_kind kind)
{
	return (unsigned)kind < LINT_COUNT ? rows[kind].key : NULL;
}

const char *lint_text(enum lint_kind kind)
{
	return (unsigned)kind < LINT_COUNT ? rows[kind].text : NULL;
}
