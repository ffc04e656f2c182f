/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_EXTENT_H
#define VIEWS_EXTENT_H

#include <stddef.h>
#include <stdint.h>

#include "views/memo.h"
#include "views/policy.h"

/* Addresses [start, end) that a view maps otherwise than by default. */
struct extent {
	uint64_t start;
	uint64_t end;
	struct mapping mapping;
};

/* All zero is an empty list. */
struct extent_list {
	struct extent *list;
	size_t count;
	size_t capacity;
};

/*
 * Replaces the list by the extents of a view, in their one canonical form:
 * ascending, not overlapping, none that equals the default mapping, and
 * neighbours with equal mappings joined. Two views with the same default rights
 * map the same if and only if their lists are equal. The policy is valid.
 * Returns 0 or -ENOMEM.
 */
int extents_collect(struct extent_list *extents,
		    const struct view_policy *policy, const struct view *view);

/* Makes room for the extents of a view with so many rules: collecting no more allocates nothing. Returns 0 or
 * -ENOMEM. */
int extents_reserve(struct extent_list *extents, size_t count);

void extents_finish(struct extent_list *extents);

#endif
