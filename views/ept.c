/* SPDX-License-Identifier: GPL-2.0-only */
#include "ept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "extent.h"
#include "memo.h"

/*
 * The tree is built from the top down to find what differs and finished from
 * the bottom up, so that each table is complete when it is looked up by
 * content. A range that no extent touches is never entered twice: it is either
 * leaves, computed, or a sub-tree from the memo.
 */
struct builder {
	const struct view_target *target;
	struct table_pool pool;
	struct memo memo;
	struct extent_list extents;
	uint64_t taken; /* tables added to the pool */
	/* One table under construction per level: recursion only descends. */
	uint64_t scratch[PAGING_LEVELS][PAGING_ENTRIES];
};

/* A range of one view: what is mapped by default and what differs. */
struct span {
	unsigned level; /* of the entries of the table for this range */
	uint64_t start;
	bool full; /* known to be guest memory throughout */
	struct mapping fallback;
	const struct extent *extents; /* all that intersect the range */
	size_t count;
};

static int build_span(struct builder *builder, struct span span,
		      struct subtree *ret_subtree);

static bool can_be_leaf(const struct builder *builder, unsigned level,
			struct mapping mapping)
{
	return paging_leaf_at(level, &builder->target->caps) &&
	       (mapping.offset & (PAGING_SPAN(level) - 1)) == 0;
}

/* The entry of a level that refers to the table for the span below it. */
static int table_entry(struct builder *builder, struct span span,
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
				      0;
	return 0;
}

/* The entry of a level for a range that one mapping covers. */
static int uniform_entry(struct builder *builder, unsigned level,
			 uint64_t start, struct mapping mapping, bool full,
			 uint64_t *ret_entry, uint64_t *tables)
{
	const struct view_target *target = builder->target;
	const uint64_t size = PAGING_SPAN(level);

	if (mapping.rights == 0 ||
	    (!full &&
	     !layout_intersects(&target->memory, gpa_at(start), size))) {
		*ret_entry = 0;
		return 0;
	}
	full = full || layout_contains(&target->memory, gpa_at(start), size);
	if (full && can_be_leaf(builder, level, mapping)) {
		*ret_entry = target->format->encode_leaf(
			gpa_at(start + mapping.offset), level, mapping.rights,
			&target->caps);
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
static int touched_entry(struct builder *builder, struct span span,
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
 * Takes from a span the entry at index and the extents that intersect it.
 * Extents are consumed when they end inside or at the end of the entry; one
 * that goes on belongs to the next entry too.
 */
static struct span take_entry(struct span *span, size_t index)
{
	const uint64_t size = PAGING_SPAN(span->level);
	struct span entry = *span;
	size_t taken = 0;
	size_t consumed;

	entry.start = span->start + index * size;
	while (taken < span->count &&
	       span->extents[taken].start < entry.start + size)
		taken++;
	entry.count = taken;
	consumed = taken;
	if (taken > 0 && span->extents[taken - 1].end > entry.start + size)
		consumed--;
	span->extents += consumed;
	span->count -= consumed;
	return entry;
}

/* Fills the scratch table of the span's level and counts the tables below. */
static int fill_scratch(struct builder *builder, struct span span,
			uint64_t *tables)
{
	const struct view_target *target = builder->target;
	const uint64_t size = PAGING_SPAN(span.level);
	const uint64_t end = layout_end(&target->memory).v;
	const bool leaves = span.full && span.fallback.rights != 0 &&
			    can_be_leaf(builder, span.level, span.fallback);
	uint64_t *table = builder->scratch[span.level - 1];
	int error = 0;

	memset(table, 0, GPA_PAGE_SIZE);
	for (size_t i = 0; i < PAGING_ENTRIES && !error; i++) {
		const uint64_t start = span.start + i * size;

		if (start >= end)
			break;
		if (span.count > 0 && span.extents->start < start + size)
			error = touched_entry(builder, take_entry(&span, i),
					      &table[i], tables);
		else if (leaves)
			table[i] = target->format->encode_leaf(
				gpa_at(start + span.fallback.offset),
				span.level, span.fallback.rights,
				&target->caps);
		else
			error = uniform_entry(builder, span.level, start,
					      span.fallback, span.full,
					      &table[i], tables);
	}
	return error;
}

static bool is_empty(const uint64_t table[PAGING_ENTRIES])
{
	for (size_t i = 0; i < PAGING_ENTRIES; i++) {
		if (table[i] != 0)
			return false;
	}
	return true;
}

static int finish_table(struct builder *builder, const uint64_t *table,
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

static int build_span(struct builder *builder, struct span span,
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
	if (!error && !is_empty(table))
		error = finish_table(builder, table, below, &subtree);
	if (!error && uniform)
		error = memo_add(&builder->memo, span.level, span.start,
				 span.fallback, subtree);
	if (error)
		return error;
	*ret_subtree = subtree;
	return 0;
}

static int build_view(struct builder *builder, const struct view_policy *policy,
		      const struct view *view, struct ept_view *ret_view)
{
	static const uint64_t nothing[PAGING_ENTRIES];
	const struct view_target *target = builder->target;
	const uint64_t taken = builder->taken;
	struct subtree root;
	int error;

	error = extents_collect(&builder->extents, policy, view);
	if (error)
		return error;
	error = build_span(builder,
			   (struct span){
				   .level = PAGING_LEVELS,
				   .fallback.rights = view->rights,
				   .extents = builder->extents.list,
				   .count = builder->extents.count,
			   },
			   &root);
	/* A view of nothing still needs a root. */
	if (!error && root.tables == 0)
		error = finish_table(builder, nothing, 0, &root);
	if (error)
		return error;
	*ret_view = (struct ept_view){
		.root = root.table,
		.pointer = target->format->encode_root(root.table,
						       &target->caps),
		.tables = root.tables,
		.own = builder->taken - taken,
	};
	return 0;
}

static enum policy_error_kind check_arena(const struct table_arena *arena,
					  const struct view_target *target)
{
	const uint64_t limit = UINT64_C(1) << target->caps.maxphyaddr;

	if (arena->used >= arena->size)
		return POLICY_ERROR_ARENA_FULL;
	if (!gpa_aligned(arena->base, GPA_PAGE_SIZE) ||
	    arena->size % GPA_PAGE_SIZE != 0 ||
	    arena->used % GPA_PAGE_SIZE != 0)
		return POLICY_ERROR_ARENA_UNALIGNED;
	if (arena->base.v >= limit || arena->size > limit - arena->base.v)
		return POLICY_ERROR_ARENA_TOO_WIDE;
	if (layout_intersects(&target->memory, arena->base, arena->size))
		return POLICY_ERROR_ARENA_EXPOSED;
	return POLICY_ERROR_INVALID;
}

static int build_views(struct builder *builder,
		       const struct view_policy *policy,
		       struct ept_views *views, struct policy_error *error)
{
	for (size_t i = 0; i < policy->view_count; i++) {
		const int result = build_view(builder, policy,
					      &policy->views[i],
					      &views->view[i]);

		if (result < 0) {
			error->kind = result == -ENOSPC ?
					      POLICY_ERROR_ARENA_FULL :
					      POLICY_ERROR_OUT_OF_MEMORY;
			error->view = (uint32_t)i;
			return result;
		}
		views->tables_total += views->view[i].own;
		views->tables_unshared += views->view[i].tables;
	}
	views->count = policy->view_count;
	return 0;
}

int ept_build(const struct view_policy *policy,
	      const struct view_target *target, struct table_arena *arena,
	      struct ept_views *ret_views, struct policy_error *ret_error)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_OUT_OF_MEMORY);
	struct table_arena work = *arena;
	struct ept_views *views = NULL;
	struct builder *builder = NULL;
	enum policy_error_kind kind;
	int result;

	result = policy_validate(policy, target, ret_error);
	if (result < 0)
		return result;
	kind = check_arena(arena, target);
	if (kind != POLICY_ERROR_INVALID) {
		error.kind = kind;
		error.gpa = arena->base;
		return policy_error_return(&error, ret_error);
	}
	result = -ENOMEM;
	views = calloc(1, sizeof(*views));
	builder = calloc(1, sizeof(*builder));
	if (!views || !builder)
		goto out;
	builder->target = target;
	result = tables_init(&builder->pool, &work);
	if (result < 0)
		goto out;
	result = build_views(builder, policy, views, &error);
	if (result < 0)
		goto out;
	*ret_views = *views;
	arena->used = work.used;
out:
	if (builder) {
		extents_finish(&builder->extents);
		memo_finish(&builder->memo);
		tables_finish(&builder->pool);
	}
	free(builder);
	free(views);
	if (result < 0)
		return policy_error_return(&error, ret_error);
	return 0;
}

uint64_t ept_view_shared(const struct ept_view *view)
{
	return view->tables - view->own;
}

void eptp_list_build(uint64_t ret_list[EPTP_LIST_ENTRIES],
		     const struct ept_views *views)
{
	for (size_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		ret_list[i] = i < views->count ? views->view[i].pointer : 0;
}
