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

/* An interrupt has nothing to do but to come and to end: whoever let it in knows. A spurious one does not even end. */
	.globl bare_gate_of_interrupts, bare_gate_of_nothing
bare_gate_of_interrupts:
	.irp register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	push %\register
	.endr
	cld
	call apic_end_interrupt
	.irp register, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	pop %\register
	.endr
bare_gate_of_nothing:
	iretq

	.section .note.GNU-stack, "", @progbits
