/* SPDX-License-Identifier: GPL-2.0-only */
/* COUNT writes to a port that nobody claims, then the exit port. */
	.text
	.globl _start
_start:
	mov $COUNT, %ecx
1:	out %al, $0x80
	dec %ecx
	jnz 1b
	xor %eax, %eax
	out %al, $0xf4
	hlt
	.section .note.GNU-stack, "", @progbits
