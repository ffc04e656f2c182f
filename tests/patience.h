/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a test waits for what does not come unless something is wrong. */
#ifndef TESTS_PATIENCE_H
#define TESTS_PATIENCE_H

#include <stdlib.h>

/* Seconds that nothing takes unless it hangs, of so many on an idle machine: surroundings.sh says by how much. */
static inline unsigned patient(unsigned seconds)
{
	const char *factor = getenv("PATIENCE");

	return seconds * (factor ? (unsigned)atoi(factor) : 12);
}

#endif
