/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_PAGING_H
#define VIEWS_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "views/gpa.h"
#include "views/paging_caps.h"
#include "views/policy_error.h"

/* What a guest may do with a page in a view. */
#define VIEW_READ 1u
#define VIEW_WRITE 2u
#define VIEW_EXECUTE 4u
#define VIEW_RIGHTS_ALL (VIEW_READ | VIEW_WRITE | VIEW_EXECUTE)

/*
 * Both formats are 4-level trees of 4 KiB tables with 512 entries of 8 bytes.
 * Level 1 is the level of entries that map 4 KiB; an entry of level n covers
 * PAGING_SPAN(n) bytes. Tables whose entries have level 4 are roots.
 */
#define PAGING_LEVELS 4u
#define PAGING_ENTRIES 512u
#define PAGING_SPAN(level) (UINT64_C(1) << (GPA_PAGE_SHIFT + 9 * ((level) - 1)))
#define PAGING_ADDRESS_BITS 48u
/* Of an entry, in both formats: its address, and, above level 1, that it is a leaf. */
#define PAGING_ADDRESS UINT64_C(0x000ffffffffff000)
#define PAGING_LARGE UINT64_C(0x80)

_Static_assert(PAGING_ENTRIES * sizeof(uint64_t) == GPA_PAGE_SIZE,
	       "a table is one page");
_Static_assert(PAGING_SPAN(PAGING_LEVELS) * PAGING_ENTRIES ==
		       UINT64_C(1) << PAGING_ADDRESS_BITS,
	       "four levels translate 48 bits");

enum paging_format_id {
	PAGING_INVALID,
	PAGING_EPT,
	PAGING_NPT,
	PAGING_FORMAT_COUNT
};

/*
 * One second-level paging format. The encoders require what was checked
 * before: rights that check_rights accepts, not empty; addresses aligned to
 * the page and below 2^maxphyaddr. An entry of value 0 is not present in
 * either format; nor is one of paging_empty().
 */
struct paging_format {
	const char *name;
	/* POLICY_ERROR_INVALID if expressible, else the rule that is broken. */
	enum policy_error_kind (*check_rights)(unsigned rights,
					       const struct paging_caps *caps);
	/* An entry of the level that maps PAGING_SPAN(level) bytes at target. */
	uint64_t (*encode_leaf)(gpa_t target, unsigned level, unsigned rights,
				const struct paging_caps *caps);
	/* An entry that refers to a table and restricts nothing. */
	uint64_t (*encode_table)(gpa_t table, const struct paging_caps *caps);
	/* The accessed and dirty flags, which processors set. */
	uint64_t used;
	/* In an entry at which a walk ends, present or not: what it forbids exits also where other violations are
	 * #VE. 0 in a format that knows no #VE. */
	uint64_t suppress_ve;
	/* The pointer to a root table: EPTP or nested CR3. */
	uint64_t (*encode_root)(gpa_t root, const struct paging_caps *caps);
};

extern const struct paging_format paging_formats[PAGING_FORMAT_COUNT];

/*
 * Memory slots of KVM instead of tables, for policy_check(): what can be read
 * can be executed, and nothing can be done with what cannot be read. There are
 * no encoders.
 */
extern const struct paging_format paging_slots;

/* True if entries of the level may map memory directly. */
bool paging_leaf_at(unsigned level, const struct paging_caps *caps);

/* The value of entries that map nothing and lead nowhere, all of which exit. */
static inline uint64_t paging_empty(const struct paging_format *format, const struct paging_caps *caps)
{
	return caps->ve ? format->suppress_ve : 0;
}

/* Bits of a guest-physical address that both the walk and the width allow. */
unsigned paging_address_bits(const struct paging_caps *caps);

/*
 * Reads the capabilities from IA32_VMX_EPT_VPID_CAP (Intel SDM volume 3D, A.10).
 * Returns -EOPNOTSUPP if 4-level walks or write-back tables are not supported.
 */
int paging_caps_from_ept_msr(uint64_t ept_vpid_cap, unsigned maxphyaddr,
			     struct paging_caps *ret_caps);

#endif
