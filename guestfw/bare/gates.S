/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions of the monitor itself, which there should be none of: each gate has its number, and goes on in C. */
	.text
	.balign 16
	.globl bare_gates
bare_gates:
	.set vector, 0
	.rept 32
	.balign 16
	push $vector
	jmp fault
	.set vector, vector + 1
	.endr
fault:
	mov %rsp, %rdi
	and $-16, %rsp
	call bare_fault

/* An interrupt has nothing to do but to come: whoever let it in knows. */
	.globl bare_gate_of_interrupts
bare_gate_of_interrupts:
	iretq

	.section .note.GNU-stack, "", @progbits
