/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/interrupts.h"

#include <errno.h>

const char *const interrupt_event_keys[INTERRUPT_EVENT_COUNT] = {
	"pending",
#define X(name, key, meaning) key,
	INTERRUPT_EVENTS(X)
#undef X
};

bool interrupts_is_pending(const struct interrupts *interrupts, uint64_t vector)
{
	return vector < INTERRUPT_VECTORS && interrupts->pending[vector / 64] >> vector % 64 & 1;
}

static void set_pending(struct interrupts *interrupts, uint64_t vector)
{
	interrupts->pending[vector / 64] |= UINT64_C(1) << vector % 64;
}

void interrupts_take(struct interrupts *interrupts, unsigned vector)
{
	interrupts->pending[vector / 64] &= ~(UINT64_C(1) << vector % 64);
}

static bool is_vector(uint64_t vector)
{
	return vector >= INTERRUPT_VECTOR_MIN && vector < INTERRUPT_VECTORS;
}

int interrupts_set(struct interrupts *interrupts, uint64_t vector, uint64_t disposition,
		   enum interrupt_event *ret_event)
{
	bool changes;

	if (!is_vector(vector) || disposition == SS_INTERRUPT_INVALID ||
	    disposition >= SS_INTERRUPT_COUNT)
		return -EINVAL;
	changes = interrupts->disposition[vector] != disposition;
	interrupts->disposition[vector] = (uint8_t)disposition;
	*ret_event = INTERRUPT_EVENT_NONE;
	if (!changes || !interrupts_is_pending(interrupts, vector))
		return 0;
	if (disposition == SS_INTERRUPT_HOLD)
		*ret_event = INTERRUPT_HELD;
	if (disposition == SS_INTERRUPT_DROP) {
		interrupts_take(interrupts, (unsigned)vector);
		*ret_event = INTERRUPT_DROPPED;
	}
	return 0;
}

int interrupts_raise(struct interrupts *interrupts, uint64_t vector,
		     enum interrupt_event *ret_event)
{
	if (!is_vector(vector))
		return -EINVAL;
	if (interrupts->disposition[vector] == SS_INTERRUPT_DROP) {
		*ret_event = INTERRUPT_DROPPED;
	} else if (interrupts_is_pending(interrupts, vector)) {
		*ret_event = INTERRUPT_COALESCED;
	} else {
		set_pending(interrupts, vector);
		*ret_event = interrupts->disposition[vector] == SS_INTERRUPT_HOLD
				     ? INTERRUPT_HELD
				     : INTERRUPT_EVENT_NONE;
	}
	return 0;
}

unsigned interrupts_next(const struct interrupts *interrupts)
{
	for (unsigned word = INTERRUPT_VECTORS / 64; word-- > 0;) {
		uint64_t left = interrupts->pending[word];

		while (left != 0) {
			unsigned bit = 63 - (unsigned)__builtin_clzll(left);

			if (interrupts->disposition[64 * word + bit] == SS_INTERRUPT_DELIVER)
				return 64 * word + bit;
			left &= ~(UINT64_C(1) << bit);
		}
	}
	return 0;
}
