/* SPDX-License-Identifier: GPL-2.0-only */
/* Segment descriptors of guest and relay (Intel SDM vol. 3A, 3.4.5 and 8.2.3): flat, long mode for code. */
#ifndef VMM_GUEST_DESCRIPTOR_H
#define VMM_GUEST_DESCRIPTOR_H

#include <stdint.h>

#define DESCRIPTOR_CODE UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_DPL3 UINT64_C(0x0000600000000000)

/* The lower half of a busy 64-bit TSS with limit 0x67; the upper is base >> 32. */
static inline uint64_t descriptor_tss(uint64_t base)
{
	return UINT64_C(0x00008b0000000067) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
}

/* The lower half of an interrupt gate to code below 4 GiB (6.14.1); the upper is 0. */
static inline uint64_t descriptor_gate(uint32_t handler, uint16_t code)
{
	return (handler & 0xffff) | (uint64_t)code << 16 | UINT64_C(0x8e00) << 32 | (uint64_t)(handler >> 16) << 48;
}

#endif
