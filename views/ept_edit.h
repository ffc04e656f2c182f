/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rights changed in the tables of a view as they are: for who cannot have them built anew (ept_live.h), as the bare
 * monitor. Freestanding, and takes no memory but pages that it is given.
 */
#ifndef VIEWS_EPT_EDIT_H
#define VIEWS_EPT_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "views/paging.h"

/* Hierarchies that are edited. Tables may be shared between views; roots are not, nor are they copied. Whoever has pages
 * of 1 GiB has such of 2 MiB. */
struct ept_edit {
	const struct paging_format *format;
	const struct paging_caps *caps;
	uint64_t shift; /* added to the address of a table, where it is found; modulo 2^64 */
	uint64_t pool;  /* address of free pages that follow one another */
	uint32_t pages; /* so many */
	uint32_t taken; /* of these: whoever comes to one from the root of a view has it alone */
};

/* What a view shall show in whole pages. */
struct ept_edit_region {
	uint64_t root; /* address of the view's root table */
	unsigned rights; /* that the format can express */
	bool ve;	 /* what they forbid is #VE */
	uint64_t start, size, shown; /* the last: address of what is shown at the first byte */
};

/*
 * Makes it so. A table that other views may have too is copied first, once, and a large page is divided where it has to
 * be. What the processor remembers of the old tables is the caller's to drop. Returns 0, or -ENOSPC if the pool has too
 * few pages: nothing has changed then.
 */
int ept_edit(struct ept_edit *edit, const struct ept_edit_region *region);

#endif
