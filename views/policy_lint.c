/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/policy_lint.h"

#include <errno.h>
#include <stdlib.h>

#include "views/lint.h"

/* Every page of an executable piece at which a VMFUNC starts. */
static void check_vmfunc_in(struct lint *lint, uint32_t view,
			    const struct view_piece *piece)
{
	struct lint_warning warning =
		lint_warning_of(LINT_VMFUNC, view, piece->region);
	size_t i = vmfunc_bytes_from(&lint->vmfunc, piece->shown);

	for (; i < lint->vmfunc.count && !lint->stopped &&
	       lint->vmfunc.places[i] < view_piece_shown_end(piece);
	     i++) {
		const uint64_t at =
			piece->start + (lint->vmfunc.places[i] - piece->shown);

		if (!vmfunc_bytes_at(&lint->vmfunc, &lint->map, at))
			continue;
		if (warning.count != 0 &&
		    (at ^ warning.gpa.v) < GPA_PAGE_SIZE) {
			warning.count++;
			continue;
		}
		if (warning.count != 0)
			lint_warn(lint, warning);
		warning.gpa = gpa_at(at);
		warning.count = 1;
	}
	if (warning.count != 0)
		lint_warn(lint, warning);
}

static void check_vmfunc(struct lint *lint, uint32_t view)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];

		if (piece->rights & VIEW_EXECUTE &&
		    (piece->region == POLICY_NO_INDEX ||
		     !lint->own_gates[piece->region]))
			check_vmfunc_in(lint, view, piece);
	}
}

static bool only_suppressed(const struct lint_subject *subject, uint32_t view,
			    uint32_t region)
{
	const struct lint_regions *suppressed =
		subject->suppressed ? &subject->suppressed[view] : NULL;

	for (size_t i = 0; suppressed && i < suppressed->count; i++)
		if (suppressed->regions[i] == region)
			return true;
	return false;
}

/* About rights, or what is shown. */
static bool has_rule(const struct lint_subject *subject, uint32_t view,
		     const char *region)
{
	uint32_t index;

	return policy_find_region(subject->policy, region, &index) == 0 &&
	       policy_rule(subject->policy, view, index) &&
	       !only_suppressed(subject, view, index);
}

/* The warning says which view, and what of it. */
static void check_need(struct lint *lint, const struct lint_need *need,
		       struct lint_warning warning)
{
	const uint64_t end = need->range.start.v + need->range.size;
	uint64_t at = need->range.start.v;

	if (has_rule(lint->subject, warning.view, need->name))
		return;
	while (at < end) {
		const struct view_piece *piece = view_map_at(&lint->map, at);

		if (!piece || (piece->rights & need->rights) != need->rights ||
		    piece->shown != piece->start)
			break;
		at = piece->end;
	}
	warning.gpa = gpa_at(at);
	if (at < end)
		lint_warn(lint, warning);
}

static void check_needs(struct lint *lint, uint32_t view)
{
	const struct lint_subject *subject = lint->subject;
	struct lint_warning warning =
		lint_warning_of(LINT_NEED, view, POLICY_NO_INDEX);

	for (size_t i = 0; i < subject->need_count; i++) {
		warning.need = (uint32_t)i;
		check_need(lint, &subject->needs[i], warning);
	}
	if (subject->ve_page.name && view_has_ve(&subject->policy->views[view]))
		check_need(lint, &subject->ve_page,
			   lint_warning_of(LINT_VE_PAGE, view, POLICY_NO_INDEX));
}

static void check_start(struct lint *lint)
{
	const uint64_t at = lint->subject->start.v;
	const struct view_piece *piece = view_map_at(&lint->map, at);
	struct lint_warning warning =
		lint_warning_of(LINT_START, 0, POLICY_NO_INDEX);

	if (piece)
		warning.region = piece->region;
	warning.gpa = lint->subject->start;
	if (!piece || !(piece->rights & VIEW_EXECUTE) ||
	    piece->shown != piece->start)
		lint_warn(lint, warning);
}

/* Marks the gates of a view, or what was marked is none of the next one's. */
static void mark_gates(struct lint *lint, uint32_t view, bool mark)
{
	const struct lint_view *notes = &lint->subject->views[view];

	for (size_t i = 0; i < notes->gate_count; i++)
		lint->own_gates[notes->gates[i]] = mark;
}

static void lint_view(struct lint *lint, uint32_t view)
{
	view_map_fill(&lint->map, view);
	mark_gates(lint, view, true);
	lint_code(lint, view);
	check_vmfunc(lint, view);
	lint_gates(lint, view);
	check_needs(lint, view);
	if (view == 0)
		check_start(lint);
	mark_gates(lint, view, false);
}

/* Room for what is remembered of regions. */
static int prepare(struct lint *lint)
{
	const size_t regions = lint->subject->policy->region_count + 1;

	lint->gates = calloc(regions, sizeof(*lint->gates));
	lint->gate_of = calloc(regions, sizeof(*lint->gate_of));
	lint->own_gates = calloc(regions, sizeof(*lint->own_gates));
	lint->across = calloc(regions, sizeof(*lint->across));
	return lint->gates && lint->gate_of && lint->own_gates && lint->across
		       ? 0
		       : -ENOMEM;
}

static int survey(struct lint *lint)
{
	int result = policy_survey(&lint->survey, lint->subject->policy,
				   lint->subject->memory);

	if (result != 0)
		return result;
	lint->executors = calloc(lint->survey.shared_count + 1,
				 sizeof(*lint->executors));
	if (!lint->executors)
		return -ENOMEM;
	lint_find_executors(lint);
	return 0;
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
	if (result == 0)
		result = prepare(&lint);
	if (result == 0)
		result = survey(&lint);
	if (result == 0)
		lint_collect_gates(&lint);
	for (uint32_t v = 0;
	     v < policy->view_count && result == 0 && !lint.stopped; v++)
		lint_view(&lint, v);
	policy_survey_finish(&lint.survey);
	free(lint.executors);
	free(lint.across);
	free(lint.own_gates);
	free(lint.gate_of);
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
