/* SPDX-License-Identifier: GPL-2.0-only */
/* Where no memory and no device is. */
#include "guest.inc"
	mov $0x40000000, %eax
	jmp *%rax
