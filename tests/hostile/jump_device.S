/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a device is. */
#include "guest.inc"
	mov $SS_MMIO_GPA, %eax
	jmp *%rax
