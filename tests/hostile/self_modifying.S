/* SPDX-License-Identifier: GPL-2.0-only */
/* Code that rewrites the operand of its next instruction: what is executed is what was written last. */
#include "guest.inc"
	xor %ebx, %ebx
1:	inc %ebx
	mov %ebx, patched + 1
patched:
	mov $0, %eax
	cmp %ebx, %eax
	jne 2f
	cmp $100000, %ebx
	jne 1b
	EXIT 0
2:	EXIT 3
