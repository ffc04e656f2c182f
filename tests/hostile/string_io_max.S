/* SPDX-License-Identifier: GPL-2.0-only */
/* One string instruction of 2^64 - 1 elements, over all memory and beyond. */
#include "guest.inc"
	cld
	mov $SS_PORT_UNCLAIMED, %edx
	mov $0x200000, %edi
	mov $-1, %rcx
	rep insl
1:	jmp 1b
