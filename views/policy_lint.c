/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_lint.h"

#include <errno.h>
#include <stdlib.h>

#include "lint.h"

/* Every page of an executable piece at which a VMFUNC starts. */
static void check_vmfunc_in(const struct lint *lint, uint32_t view,
			    const struct view_piece *piece)
{
	struct lint_warning warning =
		lint_warning_of(LINT_VMFUNC, view, piece->region);
	size_t i = vmfunc_bytes_from(&lint->vmfunc, piece->shown);

	for (; i < lint->vmfunc.count &&
	       lint->vmfunc.places[i] < lint_shown_end(piece);
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

static void check_vmfunc(const struct lint *lint, uint32_t view)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];

		if (piece->rights & VIEW_EXECUTE &&
		    !lint_is_gate(lint, view, piece->region))
			check_vmfunc_in(lint, view, piece);
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
	struct lint_warning warning =
		lint_warning_of(LINT_NEED, view, POLICY_NO_INDEX);
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
		lint_warn(lint, warning);
}

static void check_start(const struct lint *lint)
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

static void lint_view(struct lint *lint, uint32_t view)
{
	view_map_fill(&lint->map, view);
	lint_code(lint, view);
	check_vmfunc(lint, view);
	lint_gates(lint, view);
	for (size_t i = 0; i < lint->subject->need_count; i++)
		check_need(lint, view, (uint32_t)i);
	if (view == 0)
		check_start(lint);
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
		lint_collect_gates(&lint);
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
