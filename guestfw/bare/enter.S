/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the guest as the relay goes back there: registers are those of the vCPU's memory, all else is in the control
 * structure or has been loaded. */
	.text
	.globl bare_enter
bare_enter:
	mov %rdi, %rbx
	jmp relay_resume
	.section .note.GNU-stack, "", @progbits
