/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_VIEW_MAP_H
#define VIEWS_VIEW_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/policy.h"

/* Guest memory that a view treats alike. */
struct view_piece {
	uint64_t start, end; /* the view's addresses */
	uint64_t shown;	     /* guest memory that start shows */
	unsigned rights;
	uint32_t region; /* what is named there; POLICY_NO_INDEX: nothing */
	bool ruled;	 /* the view has a rule for the region */
};

/*
 * All guest memory as one view shows it, in pieces, ascending: the regions and
 * what is between them. Starts with view_map_init(), ends with
 * view_map_finish(); view_map_fill() replaces one view's pieces by another's.
 */
struct view_map {
	const struct view_policy *policy;
	const struct guest_memory *memory;
	uint32_t *order;		/* regions by address */
	const struct view_rule **rules; /* by region, of the view filled in */
	struct view_piece *pieces;
	size_t count;
	/* The same pieces, ascending by what they show, then by where. */
	struct view_piece *by_shown;
	/* Of these, those that show other memory than their own. */
	struct view_piece *moved;
	size_t moved_count;
};

static inline uint64_t view_piece_shown_end(const struct view_piece *piece)
{
	return piece->shown + (piece->end - piece->start);
}

/* The policy is valid for this memory. Returns 0 or -ENOMEM. */
int view_map_init(struct view_map *map, const struct view_policy *policy,
		  const struct guest_memory *memory);
void view_map_fill(struct view_map *map, uint32_t view);
void view_map_finish(struct view_map *map);

/* Index of the first piece that ends behind the address. */
size_t view_map_from(const struct view_map *map, uint64_t at);

/* The piece with this address, or NULL. */
const struct view_piece *view_map_at(const struct view_map *map, uint64_t at);

#endif
