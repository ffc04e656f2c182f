/* SPDX-License-Identifier: GPL-2.0-only */
/* Which services a guest has and who may call them. */
#ifndef VIEWS_SERVICE_TABLE_H
#define VIEWS_SERVICE_TABLE_H

#include <stdint.h>

/* Service numbers are those of VMFUNC, whose leaves end there. */
#define SERVICE_NUMBERS 64u

/* Bit n of each word is about service n. Of a service that is not enabled only `exits` matters. */
struct service_table {
	uint64_t enabled;
	uint64_t cpl0;      /* callers at CPL 0 only */
	uint64_t home;      /* callers in view 0 only */
	uint64_t mode64;    /* callers in 64-bit mode only */
	uint64_t protected; /* callers in protected or long mode, not in real-address or virtual-8086 mode */
	uint64_t exits;     /* not enabled, or not for the caller: an exit to the VMM, not an exception */
};

#endif
