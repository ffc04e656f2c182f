/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual interrupts of one vCPU: what becomes of each vector, by how the guest has set it to be
 * handled. There is no controller: nothing is acknowledged, and a vector that is pending when it is
 * raised again stays pending once, as in the request register of a local APIC (Intel SDM vol. 3A,
 * 11.8.4). Of several, the highest vector goes first.
 */
#ifndef VIEWS_INTERRUPTS_H
#define VIEWS_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "guestfw/abi.h"

#define INTERRUPT_VECTORS 256
#define INTERRUPT_VECTOR_MIN 32 /* those below are exceptions */

/*
 * What was decided about an interrupt: EVENT(NAME, key, meaning). Every one that is raised ends as
 * delivered, coalesced or dropped, or is pending still; being held comes in between.
 */
#define INTERRUPT_EVENTS(X)                                                                        \
	X(DELIVERED, "delivered", "injected into the guest")                                       \
	X(HELD, "held", "kept pending until its vector is set to be delivered")                    \
	X(COALESCED, "coalesced", "found its vector pending already")                              \
	X(DROPPED, "dropped", "discarded")

enum interrupt_event {
	INTERRUPT_EVENT_NONE, /* pending, and delivered as soon as the guest can take it */
#define X(name, key, meaning) INTERRUPT_##name,
	INTERRUPT_EVENTS(X)
#undef X
	INTERRUPT_EVENT_COUNT
};

extern const char *const interrupt_event_keys[INTERRUPT_EVENT_COUNT];

struct interrupts {
	uint8_t disposition[INTERRUPT_VECTORS]; /* enum ss_disposition */
	uint64_t pending[INTERRUPT_VECTORS / 64];
};

/* Everything is delivered, nothing is pending. Here, as the relay has no memset and no need of this. */
static inline void interrupts_init(struct interrupts *interrupts)
{
	*interrupts = (struct interrupts){0};
	memset(interrupts->disposition, SS_INTERRUPT_DELIVER, sizeof(interrupts->disposition));
}

/*
 * Sets how a vector is handled from now on; one that is pending is held, dropped, or due for delivery
 * accordingly. Returns 0 or -EINVAL, for a vector or a disposition that there is not; *ret_event is
 * what became of the pending one.
 */
int interrupts_set(struct interrupts *interrupts, uint64_t vector, uint64_t disposition,
		   enum interrupt_event *ret_event);

/* Whether a vector is pending; no vector is not. */
bool interrupts_is_pending(const struct interrupts *interrupts, uint64_t vector);

/* Raises a vector. Returns 0 or -EINVAL; *ret_event is what became of it. */
int interrupts_raise(struct interrupts *interrupts, uint64_t vector,
		     enum interrupt_event *ret_event);

/* The vector to deliver next, or 0 if there is none. */
unsigned interrupts_next(const struct interrupts *interrupts);

/* Whether anything is pending, to be delivered or not. */
static inline bool interrupts_any(const struct interrupts *interrupts)
{
	uint64_t any = 0;

	for (unsigned word = 0; word < INTERRUPT_VECTORS / 64; word++)
		any |= interrupts->pending[word];
	return any != 0;
}

/* The vector that interrupts_next() has named is delivered: it is not pending any more. */
void interrupts_take(struct interrupts *interrupts, unsigned vector);

#endif
