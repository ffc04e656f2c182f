/* SPDX-License-Identifier: GPL-2.0-only */
/* A request where no memory is. */
#include "guest.inc"
	mov $0x7fffffc0, %eax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
	EXIT 0
