/* SPDX-License-Identifier: GPL-2.0-only */
/* Which values XSETBV may load. Freestanding: the relay decides by it. */
#ifndef VIEWS_XCR_H
#define VIEWS_XCR_H

#include <stdbool.h>
#include <stdint.h>

#define XCR0_X87 UINT64_C(1)
#define XCR0_SSE UINT64_C(2)
#define XCR0_AVX UINT64_C(4)
#define XCR0_MPX UINT64_C(0x18)
#define XCR0_AVX512 UINT64_C(0xe0)
#define XCR0_AMX UINT64_C(0x60000)
#define XCR0_APX UINT64_C(0x80000)

/*
 * Whether XSETBV with this index (ECX) and value (EDX:EAX) loads the register; if not, it raises
 * #GP(0). `supported` is EDX:EAX of CPUID leaf 0xd. XCR0 is the only such register; x87 is always on,
 * AVX needs SSE, AVX-512 needs AVX and its three parts, MPX and AMX have two parts each, APX excludes
 * MPX (Intel SDM vol. 1, 13.3; vol. 2D, XSETBV).
 */
static inline bool xcr_is_legal(uint32_t index, uint64_t value, uint64_t supported)
{
	const uint64_t pairs[] = {XCR0_MPX, XCR0_AVX512, XCR0_AMX};

	if (index != 0 || value & ~supported || !(value & XCR0_X87))
		return false;
	if ((value & XCR0_AVX && !(value & XCR0_SSE)) || (value & XCR0_AVX512 && !(value & XCR0_AVX)))
		return false;
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (value & pairs[i] && (value & pairs[i]) != pairs[i])
			return false;
	return !(value & XCR0_APX && value & XCR0_MPX);
}

#endif
