/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/ept_edit.h"

#include <errno.h>
#include <stddef.h>

#define ENTRY_PRESENT UINT64_C(1) /* of a table, in both formats */

/* A table of a view on the way to the region: its entries have this level, and the first one is for this address. */
struct step {
	uint64_t *table; /* NULL: it is still to be made */
	unsigned level;
	uint64_t base;
};

static uint64_t *table_at(const struct ept_edit *edit, uint64_t entry)
{
	return (uint64_t *)(uintptr_t)((entry & PAGING_ADDRESS) + edit->shift);
}

static bool is_table(uint64_t entry, unsigned level)
{
	return level > 1 && (entry & (ENTRY_PRESENT | PAGING_LARGE)) == ENTRY_PRESENT;
}

/* A page of the pool: only the view from whose root it was reached has it. */
static bool is_own(const struct ept_edit *edit, uint64_t entry)
{
	return ((entry & PAGING_ADDRESS) - edit->pool) / GPA_PAGE_SIZE < edit->taken;
}

/* What the part of a range shows that an entry of the level above says of all of it. */
static uint64_t part_of(uint64_t entry, unsigned level, uint64_t index)
{
	if (!(entry & PAGING_LARGE))
		return entry;
	entry += index * PAGING_SPAN(level);
	return level == 1 ? entry & ~PAGING_LARGE : entry;
}

/* The table of this level that the entry refers to, for the view to change. There is a page for it if one is needed. */
static uint64_t *own_table(struct ept_edit *edit, uint64_t *entry, unsigned level)
{
	const uint64_t page = edit->pool + (uint64_t)edit->taken * GPA_PAGE_SIZE;
	const bool copied = is_table(*entry, level + 1);
	const uint64_t *old = table_at(edit, *entry);
	uint64_t *table = table_at(edit, page);

	if (copied && is_own(edit, *entry))
		return table_at(edit, *entry);
	for (size_t i = 0; i < PAGING_ENTRIES; i++)
		table[i] = copied ? old[i] : part_of(*entry, level, i);
	edit->taken++;
	*entry = edit->format->encode_table(gpa_at(page), edit->caps);
	return table;
}

/* Whether an entry, which is not behind the region, can say it all. */
static bool fits(const struct ept_edit *edit, const struct ept_edit_region *region, unsigned level, uint64_t at)
{
	const uint64_t size = PAGING_SPAN(level);

	if (at < region->start || region->size - (at - region->start) < size)
		return false;
	return region->rights == 0 ||
	       (paging_leaf_at(level, edit->caps) && ((region->shown - region->start) & (size - 1)) == 0);
}

static uint64_t leaf(const struct ept_edit *edit, const struct ept_edit_region *region, unsigned level, uint64_t at)
{
	const uint64_t suppress = region->ve ? 0 : paging_empty(edit->format, edit->caps);

	if (region->rights == 0)
		return suppress;
	return suppress | edit->format->encode_leaf(gpa_at(region->shown + (at - region->start)), level, region->rights,
						    edit->caps);
}

static uint32_t walk(struct ept_edit *edit, const struct ept_edit_region *region, struct step step, bool change);

/* One entry, which refers to a table or has to. Returns how many pages that takes. */
static uint32_t descend(struct ept_edit *edit, const struct ept_edit_region *region, struct step step, uint64_t *entry,
			bool change)
{
	const bool there = entry && is_table(*entry, step.level + 1);
	const uint32_t missing = there && is_own(edit, *entry) ? 0 : 1;

	if (change)
		step.table = own_table(edit, entry, step.level);
	else
		step.table = there ? table_at(edit, *entry) : NULL;
	return missing + walk(edit, region, step, change);
}

/* All entries of a table that are about the region. */
static uint32_t walk(struct ept_edit *edit, const struct ept_edit_region *region, struct step step, bool change)
{
	const uint64_t span = PAGING_SPAN(step.level), end = region->start + region->size;
	uint64_t i = region->start > step.base ? (region->start - step.base) / span : 0;
	uint32_t pages = 0;

	for (; i < PAGING_ENTRIES && step.base + i * span < end; i++) {
		const struct step below = {NULL, step.level - 1, step.base + i * span};
		uint64_t *entry = step.table ? &step.table[i] : NULL;

		if (!fits(edit, region, step.level, below.base) || (entry && is_table(*entry, step.level)))
			pages += descend(edit, region, below, entry, change);
		else if (change)
			*entry = leaf(edit, region, step.level, below.base);
	}
	return pages;
}

int ept_edit(struct ept_edit *edit, const struct ept_edit_region *region)
{
	const struct step root = {table_at(edit, region->root), PAGING_LEVELS, 0};

	if (walk(edit, region, root, false) > edit->pages - edit->taken)
		return -ENOSPC;
	walk(edit, region, root, true);
	return 0;
}
