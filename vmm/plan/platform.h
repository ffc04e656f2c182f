/* SPDX-License-Identifier: GPL-2.0-only */
/* What surrounds a guest. */
#ifndef VMM_PLAN_PLATFORM_H
#define VMM_PLAN_PLATFORM_H

/* PLATFORM(NAME, key). */
#define PLATFORMS(X)                                                                               \
	X(AUTO, "auto") /* what the image is made for */                                           \
	X(SIDESTEP, "sidestep") /* guestfw/abi.h */                                                \
	X(PC, "pc") /* interrupt controllers, timers, ACPI, a serial line that is typed into */

enum platform {
#define X(name, key) PLATFORM_##name,
	PLATFORMS(X)
#undef X
	PLATFORM_COUNT
};

extern const char *const platform_keys[PLATFORM_COUNT];

#endif
