/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints for ever, as a driver of a UART would, with what a terminal would obey. */
#include "guest.inc"
1:	mov $text, %rsi
2:	mov $SS_PORT_SERIAL + 5, %edx
	in %dx, %al
	test $0x20, %al
	jz 2b
	lodsb
	test %al, %al
	jz 1b
	mov $SS_PORT_SERIAL, %edx
	out %al, %dx
	jmp 2b
text:	.asciz "\033[31mline\r\n"
