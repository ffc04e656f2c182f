/* SPDX-License-Identifier: GPL-2.0-only */
/* Several guests on one processor: what their control structures do not switch. */
#ifndef SIDESTEP_WORLD_H
#define SIDESTEP_WORLD_H

#include "relay.h"

/* The guest whose turn it is after this one, of those that have not ended: this one, if no other is left. */
struct relay_vcpu *world_next(const struct relay_vcpu *vcpu);

/* Puts the state of the processor that is `from`'s away and loads that of `to`. The control structure is left to the
 * caller. */
void world_switch(struct relay_vcpu *from, struct relay_vcpu *to);

#endif
