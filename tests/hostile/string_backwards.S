/* SPDX-License-Identifier: GPL-2.0-only */
/* With the direction flag set, over the start of memory. */
#include "guest.inc"
	std
	mov $0x1800, %esi
	mov $0x10000, %ecx
	mov $SS_PORT_DEBUG, %edx
	rep outsb
	EXIT 0
