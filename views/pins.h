/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buffers that a guest has pinned for input and output: which ranges may be pinned, and what a
 * device may do with them. Whether the host can keep them in memory is not decided here.
 */
#ifndef VIEWS_PINS_H
#define VIEWS_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "guestfw/abi.h"
#include "views/effect.h"

/* Of one VM: a buffer for each vCPU, and this many bytes in all. */
#define PINS_MAX SS_MAX_VCPUS
#define PINS_BYTES_MAX (UINT64_C(16) << 20)

struct pinned {
	uint32_t handle; /* 0: none */
	unsigned access; /* VIEW_READ, VIEW_WRITE: what devices may do */
	gpa_t gpa;
	uint64_t size;
};

/* Starts zeroed. */
struct pins {
	struct pinned buffers[PINS_MAX];
	uint64_t bytes;
	uint32_t sequence; /* so that a handle is not soon given again */
};

/* What a guest asks for, as it stood in its memory. */
struct pin_request {
	uint64_t gpa, size, access;
};

/* What it is judged by. */
struct pin_scope {
	struct guest_memory memory;
	const struct view_policy *policy;
	uint32_t view; /* active when it asks */
};

/*
 * Decides a request. The range must be whole pages of memory, and overlap no other one that is pinned:
 * unpinning one would else unpin a part of the other. The active view must allow every access that is
 * asked for on every page, and show the page itself there, not another one: devices see guest-physical
 * addresses and no view.
 *
 * Returns 0; -EINVAL for a range that is empty or not made of whole pages, or an access that is neither
 * read nor write; -EFAULT if it is not all memory; -EEXIST for an overlap; -ENOSPC if there are too many
 * buffers or bytes; -EACCES if the view forbids it.
 */
int pins_check(const struct pins *pins, const struct pin_scope *scope,
	       const struct pin_request *request);

/* Enters a request that pins_check() has passed. Returns its handle, not 0. */
uint32_t pins_add(struct pins *pins, const struct pin_request *request);

/* The buffer with a handle, or NULL. */
const struct pinned *pins_find(const struct pins *pins, uint64_t handle);

/* Strikes a buffer out; the handle has been found. */
void pins_remove(struct pins *pins, uint32_t handle);

#endif
