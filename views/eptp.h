/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_EPTP_H
#define VIEWS_EPTP_H

#include <stdint.h>

#include "views/gpa.h"
#include "views/paging_caps.h"

/* Entries of the EPTP list, one page (Intel SDM volume 3C, 25.6.14). */
#define EPTP_LIST_ENTRIES 512u

_Static_assert(EPTP_LIST_ENTRIES * sizeof(uint64_t) == GPA_PAGE_SIZE,
	       "an EPTP list is one page");

/*
 * Rules of a valid EPTP in the order they are checked: name, key, text. They
 * are those of VM entry (Intel SDM volume 3C, 27.2.1.1), which EPTP switching
 * applies to the list entry too (26.5.6.3).
 */
#define EPTP_RULE_TABLE(X) \
	X(VALID, "valid", "the EPTP is valid") \
	X(MEMORY_TYPE, "memory-type", "bits 2:0 are no supported memory type") \
	X(WALK_LENGTH, "walk-length", "bits 5:3 are no supported walk length") \
	X(ACCESSED_DIRTY, "accessed-dirty", \
	  "bit 6 enables accessed and dirty flags that are not supported") \
	X(RESERVED, "reserved", "reserved bits 11:7 are not zero") \
	X(ADDRESS, "address", "the address exceeds the physical-address width")

enum eptp_rule {
	EPTP_RULE_INVALID,
#define EPTP_RULE_ENUM(name, key, text) EPTP_##name,
	EPTP_RULE_TABLE(EPTP_RULE_ENUM)
#undef EPTP_RULE_ENUM
	EPTP_RULE_COUNT
};

/*
 * The EPTP of a root table: write-back, page-walk length 4, accessed and dirty
 * flags if offered (Intel SDM volume 3C, 25.6.11).
 */
uint64_t ept_pointer(gpa_t root, const struct paging_caps *caps);

/* EPTP_VALID, or the first rule that the value breaks. */
enum eptp_rule eptp_check(uint64_t eptp, const struct paging_caps *caps);

/* Key and text of a rule; NULL for no row of the table. */
const char *eptp_rule_key(enum eptp_rule rule);
const char *eptp_rule_text(enum eptp_rule rule);

#endif
