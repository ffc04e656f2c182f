/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_VMFUNC_BYTES_H
#define VIEWS_VMFUNC_BYTES_H

#include "views/lint_subject.h"
#include "views/view_map.h"

/*
 * Where guest memory holds the bytes of a VMFUNC, 0f 01 d4, at any alignment:
 * the processor executes them wherever a jump leads. Ascending; also those
 * places at the end of a page where it depends on what a view shows behind.
 */
struct vmfunc_bytes {
	const struct lint_subject *subject;
	uint64_t *places;
	size_t count, capacity;
};

/* Returns 0 or -ENOMEM; vmfunc_bytes_finish() is due in both cases. */
int vmfunc_bytes_find(struct vmfunc_bytes *found,
		      const struct lint_subject *subject);
void vmfunc_bytes_finish(struct vmfunc_bytes *found);

/* Index of the first place that is not below the address in guest memory. */
size_t vmfunc_bytes_from(const struct vmfunc_bytes *found, uint64_t gpa);

/* Whether the view can execute a VMFUNC at this address of its own. */
bool vmfunc_bytes_at(const struct vmfunc_bytes *found,
		     const struct view_map *map, uint64_t address);

#endif
