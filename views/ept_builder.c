/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/ept_builder.h"

#include <string.h>

/* A range of one view: what is mapped by default and what differs. */
struct span {
	unsigned level; /* of the entries of the table for this range */
	uint64_t start;
	bool full; /* known to be guest memory throughout */
	struct mapping fallback;
	const struct extent *extents; /* all that intersect the range */
	size_t count;
	/* The table that was there, and where something may differ from it; NULL: everywhere. */
	const uint64_t *old;
	uint64_t from, to;
};

static int build_span(struct ept_builder *builder, struct span span,
		      struct subtree *ret_subtree);

static bool can_be_leaf(const struct ept_builder *builder, unsigned level,
			struct mapping mapping)
{
	return paging_leaf_at(level, &builder->target->caps) &&
	       ((mapping.offset | builder->target->offset) & (PAGING_SPAN(level) - 1)) == 0;
}

/* Without rights, as all that is no guest memory is. */
static bool nothing(struct mapping mapping)
{
	return mapping.rights == 0 && !mapping.ve;
}

/* What is shown at `start`, a leaf of a level. */
static uint64_t leaf(const struct ept_builder *builder, unsigned level, uint64_t start,
		     struct mapping mapping)
{
	const struct view_target *target = builder->target;
	const uint64_t suppress = mapping.ve ? 0 : builder->empty;
	uint64_t shown = start + mapping.offset;

	if (mapping.rights == 0)
		return suppress;
	if (shown < target->moved)
		shown += target->offset;
	return target->format->encode_leaf(gpa_at(shown), level, mapping.rights, &target->caps) | suppress;
}

/* The entry of a level that refers to the table for the span below it. */
static int table_entry(struct ept_builder *builder, struct span span,
		       uint64_t *ret_entry, uint64_t *tables)
{
	const struct view_target *target = builder->target;
	struct subtree subtree;
	const int error = build_span(builder, span, &subtree);

	if (error)
		return error;
	*tables += subtree.tables;
	*ret_entry = subtree.tables ? target->format->encode_table(
					      subtree.table, &target->caps) :
				      builder->empty;
	return 0;
}

/* The entry of a level for a range that one mapping covers. */
static int uniform_entry(struct ept_builder *builder, unsigned level,
			 uint64_t start, struct mapping mapping, bool full,
			 uint64_t *ret_entry, uint64_t *tables)
{
	const struct view_target *target = builder->target;
	const uint64_t size = PAGING_SPAN(level);

	if (nothing(mapping) ||
	    (!full &&
	     !layout_intersects(&target->memory, gpa_at(start), size))) {
		*ret_entry = builder->empty;
		return 0;
	}
	full = full || layout_contains(&target->memory, gpa_at(start), size);
	if (full && can_be_leaf(builder, level, mapping)) {
		*ret_entry = leaf(builder, level, start, mapping);
		return 0;
	}
	return table_entry(builder,
			   (struct span){
				   .level = level - 1,
				   .start = start,
				   .full = full,
				   .fallback = mapping,
			   },
			   ret_entry, tables);
}

/* The entry of a level for a range that extents touch. */
static int touched_entry(struct ept_builder *builder, struct span span,
			 uint64_t *ret_entry, uint64_t *tables)
{
	const struct extent *first = span.extents;

	if (first->start <= span.start &&
	    first->end - span.start >= PAGING_SPAN(span.level))
		return uniform_entry(builder, span.level, span.start,
				     first->mapping, true, ret_entry, tables);
	span.level--;
	return table_entry(builder, span, ret_entry, tables);
}

/*
 * Takes from a span the entry at index and the extents that intersect it, as the first does.
 * Extents are consumed when they end inside or at the end of the entry; one
 * that goes on belongs to the next entry too.
 */
static struct span take_entry(struct span *span, size_t index)
{
	const uint64_t size = PAGING_SPAN(span->level);
	struct span entry = *span;
	size_t taken = 1;
	size_t consumed;

	entry.start = span->start + index * size;
	while (taken < span->count &&
	       span->extents[taken].start < entry.start + size)
		taken++;
	entry.count = taken;
	consumed = taken;
	if (span->extents[taken - 1].end > entry.start + size)
		consumed--;
	span->extents += consumed;
	span->count -= consumed;
	return entry;
}

/* Entries of the span's table that have to be made: from *ret_first to before the result. The others are
 * copied; extents that end before the first are dropped from the span. */
static size_t start_table(const struct ept_builder *builder, struct span *span, uint64_t *table, size_t *ret_first)
{
	const uint64_t size = PAGING_SPAN(span->level);
	const uint64_t end = span->start + PAGING_ENTRIES * size;

	*ret_first = 0;
	if (!span->old) {
		for (size_t i = 0; i < PAGING_ENTRIES; i++)
			table[i] = builder->empty;
		return PAGING_ENTRIES;
	}
	memcpy(table, span->old, GPA_PAGE_SIZE);
	if (span->from > span->start)
		*ret_first = (size_t)((span->from - span->start) / size);
	while (span->count > 0 && span->extents->end <= span->start + *ret_first * size) {
		span->extents++;
		span->count--;
	}
	return span->to < end ? (size_t)((span->to - span->start + size - 1) / size) :
				PAGING_ENTRIES;
}

/* Fills the scratch table of the span's level and counts the tables below. */
static int fill_scratch(struct ept_builder *builder, struct span span,
			uint64_t *tables)
{
	const struct view_target *target = builder->target;
	const uint64_t size = PAGING_SPAN(span.level);
	const uint64_t end = layout_end(&target->memory).v;
	const bool leaves = span.full && !nothing(span.fallback) &&
			    can_be_leaf(builder, span.level, span.fallback);
	uint64_t *table = builder->scratch[span.level - 1];
	size_t first, stop = start_table(builder, &span, table, &first);
	int error = 0;

	for (size_t i = first; i < stop && !error; i++) {
		const uint64_t start = span.start + i * size;

		if (start >= end)
			break;
		if (span.count > 0 && span.extents->start < start + size) {
			struct span entry = take_entry(&span, i);

			if (span.old)
				entry.old = ept_builder_table(builder, span.old[i]);
			error = touched_entry(builder, entry, &table[i], tables);
		}
		else if (leaves)
			table[i] = leaf(builder, span.level, start, span.fallback);
		else
			error = uniform_entry(builder, span.level, start,
					      span.fallback, span.full,
					      &table[i], tables);
	}
	return error;
}

static bool is_empty(const struct ept_builder *builder, const uint64_t table[PAGING_ENTRIES])
{
	for (size_t i = 0; i < PAGING_ENTRIES; i++) {
		if (table[i] != builder->empty)
			return false;
	}
	return true;
}

static int finish_table(struct ept_builder *builder, const uint64_t *table,
			uint64_t tables_below, struct subtree *ret_subtree)
{
	struct subtree subtree = { .tables = tables_below + 1 };
	bool is_new;
	int error;

	error = tables_intern(&builder->pool, table, &subtree.table, &is_new);
	if (error)
		return error;
	builder->taken += is_new;
	*ret_subtree = subtree;
	return 0;
}

static int build_span(struct ept_builder *builder, struct span span,
		      struct subtree *ret_subtree)
{
	const struct guest_memory *memory = &builder->target->memory;
	const bool uniform = span.count == 0;
	const uint64_t *table = builder->scratch[span.level - 1];
	struct subtree subtree = { .tables = 0 };
	uint64_t below = 0;
	int error;

	if (uniform && memo_find(&builder->memo, span.level, span.start,
				 span.fallback, ret_subtree))
		return 0;
	span.full = span.full ||
		    layout_contains(memory, gpa_at(span.start),
				    PAGING_SPAN(span.level) * PAGING_ENTRIES);
	error = fill_scratch(builder, span, &below);
	if (!error && !is_empty(builder, table))
		error = finish_table(builder, table, below, &subtree);
	if (!error && uniform)
		error = memo_add(&builder->memo, span.level, span.start,
				 span.fallback, subtree);
	if (error)
		return error;
	*ret_subtree = subtree;
	return 0;
}

uint64_t *ept_builder_table(const struct ept_builder *builder, uint64_t entry)
{
	return tables_at(&builder->pool, gpa_at(entry & PAGING_ADDRESS));
}

int ept_builder_view(struct ept_builder *builder, const struct view_policy *policy,
		     const struct view *view, uint64_t *ret_tables)
{
	uint64_t below = 0;
	int error = extents_collect(&builder->extents, policy, view);

	if (!error)
		error = fill_scratch(builder,
				     (struct span){
					     .level = PAGING_LEVELS,
					     .fallback = { .rights = view->rights, .ve = view->ve },
					     .extents = builder->extents.list,
					     .count = builder->extents.count,
				     },
				     &below);
	if (error)
		return error;
	*ret_tables = below + 1;
	return 0;
}

int ept_builder_update(struct ept_builder *builder, const struct view_policy *policy,
		       const struct view *view, const uint64_t *root,
		       const struct view_region *region)
{
	struct span span = {
		.level = PAGING_LEVELS,
		.fallback = { .rights = view->rights, .ve = view->ve },
		.old = root,
		.from = region->gpa.v,
		.to = region->gpa.v + region->size,
	};
	uint64_t below = 0;
	const int error = extents_collect(&builder->extents, policy, view);

	if (error)
		return error;
	span.extents = builder->extents.list;
	span.count = builder->extents.count;
	return fill_scratch(builder, span, &below);
}

int ept_builder_init(struct ept_builder *builder, const struct view_target *target,
		     struct table_arena *arena)
{
	*builder = (struct ept_builder){ .target = target, .empty = paging_empty(target->format, &target->caps) };
	return tables_init(&builder->pool, arena, target->format->used);
}

void ept_builder_finish(struct ept_builder *builder)
{
	extents_finish(&builder->extents);
	memo_finish(&builder->memo);
	tables_finish(&builder->pool);
}
