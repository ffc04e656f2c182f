/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the monitor: its tables, its stack, and there with the plan, where its block is, and what the boot loader tells. */
	.text
	.globl bare_jump
bare_jump:	/* plan, base, CR3, stack, entry, told */
	mov %rdx, %cr3
	mov %rcx, %rsp
	mov %r9, %rdx
	jmp *%r8
	.section .note.GNU-stack, "", @progbits
