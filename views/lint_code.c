/* SPDX-License-Identifier: GPL-2.0-only */
#include "lint.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_AND_EXECUTE (VIEW_WRITE | VIEW_EXECUTE)

/* One warning for what the view's default rights permit, one for each rule. */
static void check_write_execute(const struct lint *lint, uint32_t view)
{
	struct lint_warning rest =
		lint_warning_of(LINT_WRITE_EXECUTE, view, POLICY_NO_INDEX);

	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];
		struct lint_warning warning = lint_warning_of(
			LINT_WRITE_EXECUTE, view, piece->region);

		if ((piece->rights & WRITE_AND_EXECUTE) != WRITE_AND_EXECUTE)
			continue;
		warning.gpa = gpa_at(piece->start);
		warning.count = piece->end - piece->start;
		if (piece->ruled) {
			lint_warn(lint, warning);
			continue;
		}
		if (rest.count == 0)
			rest.gpa = warning.gpa;
		rest.count += warning.count;
	}
	if (rest.count != 0)
		lint_warn(lint, rest);
}

static int compare_shown(const void *a, const void *b)
{
	const struct view_piece *left = a;
	const struct view_piece *right = b;

	if (left->shown != right->shown)
		return left->shown > right->shown ? 1 : -1;
	return (left->start > right->start) - (left->start < right->start);
}

static void warn_alias(const struct lint *lint, uint32_t view,
		       const struct view_piece *piece,
		       const struct view_piece *other)
{
	struct lint_warning warning =
		lint_warning_of(LINT_WRITE_EXECUTE_ALIAS, view, piece->region);

	/* The one that is remapped is the one to say something about. */
	if (piece->shown == piece->start) {
		warning.region = other->region;
		warning.other_region = piece->region;
		warning.gpa = gpa_at(other->start);
	} else {
		warning.other_region = other->region;
		warning.gpa = gpa_at(piece->start);
	}
	lint_warn(lint, warning);
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

		if (other && lint_shown_end(other) > piece->shown)
			warn_alias(lint, view, piece, other);
		if (!*own || lint_shown_end(piece) > lint_shown_end(*own))
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

/* The piece by which the view writes the memory, or NULL. */
static const struct view_piece *writing_piece(const struct lint *lint,
					      gpa_t gpa)
{
	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.pieces[i];

		if (piece->rights & VIEW_WRITE && gpa.v >= piece->shown &&
		    gpa.v < lint_shown_end(piece))
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
		const struct view_piece *piece = NULL;
		struct lint_warning *warning;

		if (other != POLICY_NO_INDEX)
			piece = writing_piece(lint, shared->gpa);
		if (!piece)
			continue;
		warning = &lint->across[piece->region < regions ? piece->region
								: regions];
		if (warning->count == 0) {
			*warning = lint_warning_of(LINT_WRITE_EXECUTE_ACROSS,
						   view, piece->region);
			warning->other_view = other;
			warning->gpa = gpa_at(piece->start + shared->gpa.v -
					      piece->shown);
		}
		warning->count += shared->size;
	}
	for (size_t i = 0; i <= regions; i++) {
		if (lint->across[i].count != 0)
			lint_warn(lint, lint->across[i]);
	}
}

void lint_code(const struct lint *lint, uint32_t view)
{
	if (!lint->subject->views[view].writes_code) {
		check_write_execute(lint, view);
		check_alias(lint, view);
	}
	check_across(lint, view);
}
