/* SPDX-License-Identifier: GPL-2.0-only */
/* The instruction that made an access which a view forbids. */
#ifndef VMM_EMULATE_VIOLATION_LOOK_H
#define VMM_EMULATE_VIOLATION_LOOK_H

#include "vmm/emulate/instruction.h"
#include "vmm/emulate/violation.h"

/* Fills in what is known of the instruction at `rip`, unless that is behind it or was not to be fetched: of a write the
 * value too, if access_stored() knows it and nothing has filled it in before. `regs`: as the instruction finds them, 16.
 * To decode takes as long as the rest of an exit, so of equal violations in a row that is done for the first only, and no
 * value is left of the others. */
void violation_look(struct vcpu *vcpu, struct violation *violation, const struct page_walk_space *space,
		    const uint64_t *regs);

#endif
