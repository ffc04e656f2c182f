/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_PAGING_CAPS_H
#define VIEWS_PAGING_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the processor that will walk the tables offers. For EPT the flags come
 * from IA32_VMX_EPT_VPID_CAP, see paging_caps_from_ept_msr(); for NPT has_2m is
 * always true and has_1g is CPUID Fn8000_0001 EDX.Page1GB, and the flags below
 * has_1g have no meaning. `ve` is secondary control 18, which is for who reads
 * the controls to say.
 */
struct paging_caps {
	bool has_2m;
	bool has_1g;
	bool exec_only;
	bool ad_bits;
	bool memtype_uc; /* uncacheable as memory type of the EPTP */
	bool walk_5;     /* 5-level EPT; accepted in an EPTP, never built */
	bool ve;         /* EPT violations can be virtualization exceptions, #VE */
	uint8_t maxphyaddr;
};

#define PAGING_MAXPHYADDR_MIN 32
#define PAGING_MAXPHYADDR_MAX 52

#endif
