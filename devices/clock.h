/* SPDX-License-Identifier: GPL-2.0-only */
/* The time that the devices of a guest show. */
#ifndef DEVICES_CLOCK_H
#define DEVICES_CLOCK_H

#include <stdint.h>

#define NANOSECONDS UINT64_C(1000000000) /* of a second */

struct clock {
	/* Since 1970-01-01 00:00 UTC, without leap seconds. */
	uint64_t (*nanoseconds)(void *opaque);
	void *opaque;
};

static inline uint64_t clock_now(const struct clock *clock)
{
	return clock->nanoseconds(clock->opaque);
}

#endif
