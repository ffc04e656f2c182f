/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/ept.h"

#include <errno.h>
#include <stdlib.h>

#include "views/ept_builder.h"

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

int ept_build_check(const struct view_policy *policy, const struct view_target *target,
		    const struct table_arena *arena, struct policy_error *ret_error)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_INVALID);
	const int result = policy_validate(policy, target, ret_error);

	if (result < 0)
		return result;
	error.kind = check_arena(arena, target);
	error.gpa = arena->base;
	return error.kind == POLICY_ERROR_INVALID ? 0 : policy_error_return(&error, ret_error);
}

/* The root, which stands in the builder's scratch. */
static int place_root(struct ept_builder *builder, bool own, gpa_t *ret_root)
{
	const uint64_t *content = builder->scratch[PAGING_LEVELS - 1];
	bool is_new = true;
	const int error = own ? tables_take(&builder->pool, content, ret_root) :
				tables_intern(&builder->pool, content, ret_root, &is_new);

	if (!error)
		builder->taken += is_new;
	return error;
}

static int build_view(struct ept_builder *builder, const struct view_policy *policy,
		      const struct view *view, bool own_root, struct ept_view *ret_view)
{
	const struct view_target *target = builder->target;
	const uint64_t taken = builder->taken;
	uint64_t tables;
	gpa_t root;
	int error = ept_builder_view(builder, policy, view, &tables);

	if (!error)
		error = place_root(builder, own_root, &root);
	if (error)
		return error;
	*ret_view = (struct ept_view){
		.root = root,
		.pointer = target->format->encode_root(root, &target->caps),
		.tables = tables,
		.own = builder->taken - taken,
	};
	return 0;
}

int ept_build_views(struct ept_builder *builder, const struct view_policy *policy,
		    bool own_roots, struct ept_views *ret_views, struct policy_error *ret_error)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_OUT_OF_MEMORY);
	struct ept_views *views = calloc(1, sizeof(*views));
	int result = views ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && i < policy->view_count; i++) {
		result = build_view(builder, policy, &policy->views[i], own_roots,
				    &views->view[i]);
		error.view = (uint32_t)i;
		views->tables_total += views->view[i].own;
		views->tables_unshared += views->view[i].tables;
	}
	if (result == 0) {
		views->count = policy->view_count;
		*ret_views = *views;
	}
	free(views);
	if (result == 0)
		return 0;
	if (result == -ENOSPC)
		error.kind = POLICY_ERROR_ARENA_FULL;
	return policy_error_return(&error, ret_error);
}

int ept_build(const struct view_policy *policy,
	      const struct view_target *target, struct table_arena *arena,
	      struct ept_views *ret_views, struct policy_error *ret_error)
{
	struct policy_error error = policy_error_of(POLICY_ERROR_OUT_OF_MEMORY);
	struct table_arena work = *arena;
	struct ept_builder *builder;
	int result = ept_build_check(policy, target, arena, ret_error);

	if (result < 0)
		return result;
	builder = malloc(sizeof(*builder));
	if (!builder || ept_builder_init(builder, target, &work) != 0) {
		free(builder);
		return policy_error_return(&error, ret_error);
	}
	result = ept_build_views(builder, policy, false, ret_views, ret_error);
	if (result == 0)
		arena->used = work.used;
	ept_builder_finish(builder);
	free(builder);
	return result;
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
