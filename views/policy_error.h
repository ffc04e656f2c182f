/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_POLICY_ERROR_H
#define VIEWS_POLICY_ERROR_H

#include <errno.h>
#include <stdint.h>

#include "views/gpa.h"

/*
 * Why a policy is refused: name, errno, key for machines, text for people.
 *
 * WRITE_WITHOUT_READ, EXECUTE_ONLY and the *_TOO_WIDE rows are what the
 * processor would report as an EPT misconfiguration (Intel SDM volume 3C,
 * 29.3.3.1) or could not tell apart from other rights (AMD64 APM volume 2,
 * 15.25); refusing them here means that no built table can hold them.
 */
#define POLICY_ERROR_TABLE(X) \
	X(NO_VIEWS, EINVAL, "no-views", "the policy has no view") \
	X(TOO_MANY_VIEWS, E2BIG, "too-many-views", \
	  "the policy has more views than an EPTP list has entries") \
	X(VIEW_NAME_TWICE, EEXIST, "view-name-twice", "two views have the same name") \
	X(REGION_NAME_TWICE, EEXIST, "region-name-twice", \
	  "two regions have the same name") \
	X(REGION_EMPTY, EINVAL, "region-empty", "the region has size zero") \
	X(REGION_UNALIGNED, EINVAL, "region-unaligned", \
	  "the region does not start or end on a page boundary") \
	X(REGION_WRAPS, EOVERFLOW, "region-wraps", \
	  "the region wraps around the end of the address space") \
	X(REGION_OUTSIDE, ERANGE, "region-outside", \
	  "the region is not wholly inside guest memory") \
	X(REGION_OVERLAP, EEXIST, "region-overlap", "two regions overlap") \
	X(RULE_UNKNOWN_REGION, ENOENT, "rule-unknown-region", \
	  "the view names a region that does not exist") \
	X(RULE_TWICE, EEXIST, "rule-twice", \
	  "the view names a region twice or out of order") \
	X(REMAP_UNALIGNED, EINVAL, "remap-unaligned", \
	  "the remap target does not start on a page boundary") \
	X(REMAP_OUTSIDE, ERANGE, "remap-outside", \
	  "the remap target is not wholly inside guest memory") \
	X(RIGHTS_UNKNOWN, EINVAL, "rights-unknown", \
	  "the rights have bits other than read, write and execute") \
	X(WRITE_WITHOUT_READ, EOPNOTSUPP, "write-without-read", \
	  "the format cannot express write without read") \
	X(EXECUTE_ONLY, EOPNOTSUPP, "execute-only", \
	  "execute without read needs a capability that is absent") \
	X(EXECUTE_WITHHELD, EOPNOTSUPP, "execute-withheld", \
	  "what may be read here can also be executed") \
	X(VE_UNKNOWN, EOPNOTSUPP, "ve-unknown", \
	  "violations cannot be exceptions, #VE, without an exit") \
	X(MEMORY_EMPTY, EINVAL, "memory-empty", \
	  "guest memory has no range or an empty range") \
	X(MEMORY_UNALIGNED, EINVAL, "memory-unaligned", \
	  "a range of guest memory does not start or end on a page boundary") \
	X(MEMORY_UNORDERED, EINVAL, "memory-unordered", \
	  "ranges of guest memory overlap or are not in ascending order") \
	X(MEMORY_TOO_WIDE, ERANGE, "memory-too-wide", \
	  "guest memory exceeds the physical-address width or 48 bits") \
	X(WIDTH_UNKNOWN, EINVAL, "width-unknown", \
	  "the physical-address width is not between 32 and 52 bits") \
	X(ARENA_UNALIGNED, EINVAL, "arena-unaligned", \
	  "the table arena does not consist of whole pages") \
	X(ARENA_TOO_WIDE, ERANGE, "arena-too-wide", \
	  "the table arena exceeds the physical-address width") \
	X(ARENA_EXPOSED, EPERM, "arena-exposed", \
	  "the table arena overlaps guest memory that views map") \
	X(ARENA_FULL, ENOSPC, "arena-full", "the table arena is full") \
	X(OUT_OF_MEMORY, ENOMEM, "out-of-memory", "out of memory")

enum policy_error_kind {
	POLICY_ERROR_INVALID,
#define POLICY_ERROR_ENUM(name, number, key, text) POLICY_ERROR_##name,
	POLICY_ERROR_TABLE(POLICY_ERROR_ENUM)
#undef POLICY_ERROR_ENUM
	POLICY_ERROR_COUNT
};

/* Value of an index field that does not apply. */
#define POLICY_NO_INDEX UINT32_MAX

struct policy_error {
	enum policy_error_kind kind;
	uint32_t view;         /* index of the view at fault */
	uint32_t region;       /* index of the region at fault */
	uint32_t other_region; /* REGION_OVERLAP, REGION_NAME_TWICE: the earlier one */
	uint32_t other_view;   /* VIEW_NAME_TWICE: the earlier one */
	uint32_t range;        /* MEMORY_*: index of the range of guest memory */
	unsigned rights;       /* rights at fault, else 0 */
	gpa_t gpa;             /* address at fault, else 0 */
};

/* A policy_error of one kind with nothing else filled in. */
struct policy_error policy_error_of(enum policy_error_kind kind);

/* Positive errno, key and text of a kind; 0 and NULL for no row of the table. */
int policy_error_number(enum policy_error_kind kind);
const char *policy_error_key(enum policy_error_kind kind);
const char *policy_error_text(enum policy_error_kind kind);

/* Stores the error if ret_error is not NULL and returns its negative errno. */
int policy_error_return(const struct policy_error *error,
			struct policy_error *ret_error);

#endif
