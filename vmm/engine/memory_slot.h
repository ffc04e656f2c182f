/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory slots of KVM. */
#ifndef VMM_ENGINE_MEMORY_SLOT_H
#define VMM_ENGINE_MEMORY_SLOT_H

#include "vmm/vm/vm.h"

/* Shows `place.size` bytes at `host` at `place`; size 0: takes the slot, which is there, away. `flags`:
 * KVM_MEM_READONLY or 0. Returns 0 or a negative errno. */
int memory_slot_set(struct vm *vm, uint32_t slot, struct gpa_range place, const void *host,
		    uint32_t flags);

/* Ends a VM whose slots are not what its views ask for. Returns `rc`, the negative errno. */
int memory_slot_failed(struct vm *vm, int rc);

#endif
