/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints for ever, a byte at a time. */
#include "guest.inc"
	mov $'x', %al
1:	out %al, $SS_PORT_DEBUG
	jmp 1b
