/* SPDX-License-Identifier: GPL-2.0-only */
/* What views are built for: the memory of a guest, and what an engine can express on this host. */
#ifndef VMM_PLAN_ENGINE_TARGET_H
#define VMM_PLAN_ENGINE_TARGET_H

#include "views/policy.h"
#include "vmm/plan/engine.h"
#include "vmm/plan/platform.h"

#define ENGINE_RANGES_MAX 4

/* Refers to itself: not to be copied. */
struct engine_target {
	struct gpa_range ranges[ENGINE_RANGES_MAX];
	struct view_target view;
	char basis[220]; /* where the capabilities come from, in words, a reason of the engine included */
};

/* What views may show of a guest with `size` bytes of memory: that, and the pages of the devices that a platform has
 * in the hole below 4 GiB. Ascending; returns how many ranges there are. */
size_t engine_ranges(enum platform platform, uint64_t size, struct gpa_range ranges[ENGINE_RANGES_MAX]);

/* For a guest with `memory` bytes of it. The basis of an offer that is none says what is assumed instead. */
void engine_target_init(struct engine_target *target, const struct engine *engine, const struct engine_offer *offer,
			enum platform platform, uint64_t memory);

#endif
