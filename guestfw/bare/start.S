/* SPDX-License-Identifier: GPL-2.0-only */
/* BARE_ENTRY: from the loader, with a plan, where its block is, and what the boot loader tells. */
	.section .text.bare, "ax"
	.globl bare_start
bare_start:
	xor %ebp, %ebp
	call bare_main
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
