/* SPDX-License-Identifier: GPL-2.0-only */
/* What views are built for: the memory of a guest, and what an engine can express on this host. */
#ifndef VMM_PLAN_ENGINE_TARGET_H
#define VMM_PLAN_ENGINE_TARGET_H

#include "views/policy.h"
#include "vmm/plan/engine.h"

#define ENGINE_RANGES_MAX 3

/* Refers to itself: not to be copied. */
struct engine_target {
	struct gpa_range ranges[ENGINE_RANGES_MAX];
	struct view_target view;
	char basis[220]; /* where the capabilities come from, in words, a reason of the engine included */
};

/* The memory that views may show of a guest with `size` bytes: the page of devices is among it.
 * Returns how many ranges there are. */
size_t engine_ranges(uint64_t size, struct gpa_range ranges[ENGINE_RANGES_MAX]);

/* Asks the engine; if the host, which may be NULL, cannot run it, takes what every KVM offers that
 * has the engine. */
void engine_target_init(struct engine_target *target, const struct engine *engine,
			const struct host *host, uint64_t memory);

#endif
