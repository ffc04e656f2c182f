/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata
	.p2align 12
	.globl START, END
START:
	.incbin IMAGE
END:
	.section .note.GNU-stack, "", @progbits
