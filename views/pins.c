/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/pins.h"

#include <errno.h>

#define INDEX_BITS 8
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define SEQUENCE_MASK (UINT32_MAX >> INDEX_BITS)

_Static_assert(PINS_MAX <= INDEX_MASK, "the index is part of the handle");

static bool is_well_formed(const struct pin_request *request)
{
	return request->size != 0 && (request->gpa | request->size) % GPA_PAGE_SIZE == 0 &&
	       request->access != 0 && (request->access & ~(uint64_t)(VIEW_READ | VIEW_WRITE)) == 0;
}

static bool is_memory(const struct pin_scope *scope, const struct pin_request *request)
{
	return layout_contains(&scope->memory, gpa_at(request->gpa), request->size);
}

/* Of ranges that do not wrap. */
static bool overlaps(const struct pinned *pinned, const struct pin_request *request)
{
	return pinned->handle != 0 && request->gpa < pinned->gpa.v + pinned->size &&
	       pinned->gpa.v < request->gpa + request->size;
}

static int check_room(const struct pins *pins, const struct pin_request *request)
{
	bool room = false;

	for (unsigned i = 0; i < PINS_MAX; i++) {
		if (overlaps(&pins->buffers[i], request))
			return -EEXIST;
		room |= pins->buffers[i].handle == 0;
	}
	return room && request->size <= PINS_BYTES_MAX - pins->bytes ? 0 : -ENOSPC;
}

static bool is_allowed(const struct pin_scope *scope, const struct pin_request *request)
{
	for (uint64_t at = 0; at < request->size; at += GPA_PAGE_SIZE) {
		gpa_t page = gpa_at(request->gpa + at), target;

		if (!policy_grants(scope->policy, scope->view, page, (unsigned)request->access,
				   &target) ||
		    !gpa_equal(target, page))
			return false;
	}
	return true;
}

int pins_check(const struct pins *pins, const struct pin_scope *scope,
	       const struct pin_request *request)
{
	int rc;

	if (!is_well_formed(request))
		return -EINVAL;
	if (!is_memory(scope, request))
		return -EFAULT;
	rc = check_room(pins, request);
	if (rc != 0)
		return rc;
	return is_allowed(scope, request) ? 0 : -EACCES;
}

uint32_t pins_add(struct pins *pins, const struct pin_request *request)
{
	unsigned index = 0;

	while (pins->buffers[index].handle != 0)
		index++;
	pins->sequence = (pins->sequence + 1) & SEQUENCE_MASK;
	pins->buffers[index] = (struct pinned){
		.handle = pins->sequence << INDEX_BITS | (index + 1),
		.access = (unsigned)request->access,
		.gpa = gpa_at(request->gpa),
		.size = request->size,
	};
	pins->bytes += request->size;
	return pins->buffers[index].handle;
}

const struct pinned *pins_find(const struct pins *pins, uint64_t handle)
{
	uint64_t index = (handle & INDEX_MASK) - 1;

	if (handle == 0 || index >= PINS_MAX || pins->buffers[index].handle != handle)
		return NULL;
	return &pins->buffers[index];
}

void pins_remove(struct pins *pins, uint32_t handle)
{
	struct pinned *pinned = &pins->buffers[(handle & INDEX_MASK) - 1];

	pins->bytes -= pinned->size;
	*pinned = (struct pinned){0};
}
