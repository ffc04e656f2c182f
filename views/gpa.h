/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_GPA_H
#define VIEWS_GPA_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A guest-physical address. A struct, so that adding one to a host pointer or
 * passing one where a size is expected does not compile.
 */
typedef struct {
	uint64_t v;
} gpa_t;

_Static_assert(sizeof(gpa_t) == 8, "guest-physical addresses are 64 bits wide");

#define GPA_PAGE_SHIFT 12
#define GPA_PAGE_SIZE (UINT64_C(1) << GPA_PAGE_SHIFT)
#define GPA_LARGE_PAGE_SIZE (UINT64_C(2) << 20)

/* Bytes, rounded up to whole large pages. */
static inline uint64_t gpa_whole_large(uint64_t bytes)
{
	return (bytes + GPA_LARGE_PAGE_SIZE - 1) & ~(GPA_LARGE_PAGE_SIZE - 1);
}

static inline gpa_t gpa_at(uint64_t v)
{
	return (gpa_t){ .v = v };
}

/* The sum wraps like the unsigned integer it is; check with gpa_wraps(). */
static inline gpa_t gpa_add(gpa_t gpa, uint64_t bytes)
{
	return (gpa_t){ .v = gpa.v + bytes };
}

static inline bool gpa_equal(gpa_t a, gpa_t b)
{
	return a.v == b.v;
}

/* size is a power of two. */
static inline bool gpa_aligned(gpa_t gpa, uint64_t size)
{
	return (gpa.v & (size - 1)) == 0;
}

/* True if the last byte of [gpa, gpa + size) lies beyond 2^64 - 1. */
static inline bool gpa_wraps(gpa_t gpa, uint64_t size)
{
	return size != 0 && size - 1 > UINT64_MAX - gpa.v;
}

#endif
