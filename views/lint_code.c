/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/lint.h"

#include <string.h>

#define WRITE_AND_EXECUTE (VIEW_WRITE | VIEW_EXECUTE)

/* One warning for what the view's default rights permit, one for each rule. */
static void check_write_execute(struct lint *lint, uint32_t view)
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

static void warn_alias(struct lint *lint, uint32_t view,
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
static void check_alias(struct lint *lint, uint32_t view)
{
	const struct view_piece *written = NULL, *executed = NULL;

	for (size_t i = 0; i < lint->map.count; i++) {
		const struct view_piece *piece = &lint->map.by_shown[i];
		const unsigned both = piece->rights & WRITE_AND_EXECUTE;
		const bool writes = piece->rights & VIEW_WRITE;
		const struct view_piece *other = writes ? executed : written;
		const struct view_piece **own = writes ? &written : &executed;

		if (both != VIEW_WRITE && both != VIEW_EXECUTE)
			continue;
		if (other && view_piece_shown_end(other) > piece->shown)
			warn_alias(lint, view, piece, other);
		if (!*own || view_piece_shown_end(piece) > view_piece_shown_end(*own))
			*own = piece;
	}
}

void lint_find_executors(struct lint *lint)
{
	for (size_t i = 0; i < lint->survey.shared_count; i++) {
		const struct shared_memory *shared = &lint->survey.shared[i];
		struct lint_executors found = { POLICY_NO_INDEX,
						POLICY_NO_INDEX };
		uint32_t v =
			(uint32_t)lint->subject->policy->view_count;

		/* If it writes it too, that is worth a warning of its own. */
		while (v-- > 0) {
			if (!view_set_has(&shared->executors, v) ||
			    view_set_has(&shared->writers, v) ||
			    lint->subject->views[v].writes_code)
				continue;
			found.second = found.first;
			found.first = v;
		}
		lint->executors[i] = found;
	}
}

/* The piece by which the view writes the memory, or NULL: of those that start
 * to show something before it, if any does, the one that reaches furthest. */
static const struct view_piece *writing_piece(struct lint *lint, gpa_t gpa,
					      size_t *next,
					      const struct view_piece *furthest)
{
	for (; *next < lint->map.count; ++*next) {
		const struct view_piece *piece = &lint->map.by_shown[*next];

		if (piece->shown > gpa.v)
			break;
		if (piece->rights & VIEW_WRITE &&
		    (!furthest || view_piece_shown_end(piece) >
					  view_piece_shown_end(furthest)))
			furthest = piece;
	}
	return furthest;
}

/* Where the view writes memory that another one executes: one warning for each
 * region, and one for the rest. */
static void check_across(struct lint *lint, uint32_t view)
{
	const size_t regions = lint->subject->policy->region_count;
	const struct view_piece *piece = NULL;
	size_t next = 0;

	memset(lint->across, 0, (regions + 1) * sizeof(*lint->across));
	for (size_t i = 0; i < lint->survey.shared_count; i++) {
		const struct shared_memory *shared = &lint->survey.shared[i];
		const struct lint_executors *executors = &lint->executors[i];
		const uint32_t other = executors->first == view
					       ? executors->second
					       : executors->first;
		struct lint_warning *warning;

		piece = writing_piece(lint, shared->gpa, &next, piece);
		if (other == POLICY_NO_INDEX || !piece ||
		    view_piece_shown_end(piece) <= shared->gpa.v)
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

void lint_code(struct lint *lint, uint32_t view)
{
	if (!lint->subject->views[view].writes_code) {
		check_write_execute(lint, view);
		check_alias(lint, view);
	}
	check_across(lint, view);
}
