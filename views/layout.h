/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_LAYOUT_H
#define VIEWS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/gpa.h"
#include "views/policy_error.h"

struct gpa_range {
	gpa_t start;
	uint64_t size;
};

/*
 * The guest memory that views may map: page-aligned ranges in ascending order
 * that do not overlap. They may touch; what lies between them is mapped by no
 * view.
 */
struct guest_memory {
	const struct gpa_range *ranges;
	size_t count;
};

/*
 * Checks the order, alignment and width of the ranges. Every address must be
 * below 2^address_bits. Returns 0, or a negative errno with the kind and the
 * index of the range in ret_error.
 */
int layout_validate(const struct guest_memory *memory, unsigned address_bits,
		    struct policy_error *ret_error);

/* True if every byte of [start, start + size) is guest memory; size > 0. */
bool layout_contains(const struct guest_memory *memory, gpa_t start,
		     uint64_t size);

/* True if some byte of [start, start + size) is guest memory; size > 0. */
bool layout_intersects(const struct guest_memory *memory, gpa_t start,
		       uint64_t size);

/* First address after the last range. */
gpa_t layout_end(const struct guest_memory *memory);

#endif
