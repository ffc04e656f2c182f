/* SPDX-License-Identifier: GPL-2.0-only */
/* COUNT writes to a port that nobody claims, then the exit port. Runs under sidestep and bare. */
	.text
	.globl _start
_start:
#if COUNT
	mov $COUNT, %ecx
1:	out %al, $0x80
	dec %ecx
	jnz 1b
#endif
	xor %eax, %eax
	out %al, $0xf4
	hlt
	.section .note.GNU-stack, "", @progbits
