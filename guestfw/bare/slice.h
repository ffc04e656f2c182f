/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that share a processor have it for a time each: the timer of its local APIC ends a slice by an interrupt, which
 * is an exit of whatever guest runs. */
#ifndef SIDESTEP_BARE_SLICE_H
#define SIDESTEP_BARE_SLICE_H

#include "guestfw/relay/relay.h"

#define SLICE_VECTOR 0xf1

/* From now on an interrupt each so many milliseconds, on this processor. */
void slices_begin(uint64_t ms);

/* The slice of this guest, which has exited for it, is over. */
void slice_end(struct relay_vcpu *vcpu);

#endif
