/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints for ever, as much at a time as there may be, without a line's end. */
#include "guest.inc"
	ARGUMENT 0, text
	ARGUMENT 1, 1024
2:	REQUEST 8, 0
	jmp 2b
text:	.fill 1024, 1, 'z'
