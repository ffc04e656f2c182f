/* SPDX-License-Identifier: GPL-2.0-only */
/* Which services a guest has and who may call them. */
#ifndef VIEWS_SERVICE_TABLE_H
#define VIEWS_SERVICE_TABLE_H

#include <stdint.h>

/* Service numbers are those of VMFUNC, whose leaves end there. */
#define SERVICE_NUMBERS 64u

/* Bit n of each word is about service n. The words of a service that is not enabled do not matter. */
struct service_table {
	uint64_t enabled;
	uint64_t cpl0; /* callers at CPL 0 only */
	uint64_t home; /* callers in view 0 only */
};

#endif
