/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that do more than one thing, on a page that view 2 does not have and one that view 1 may only
 * read: whether each is carried out or faults, the guest goes on, and what it may not change has not changed. */
#include "violation.inc"

#define VECTOR_UD 6
#define VECTOR_SS 12
#define VECTOR_GP 13

.macro ODD insn:vararg
	movq $6f, resume
	mov %rsp, saved_rsp
	mov $3, %ecx
	mov $0x1122, %eax
	mov $SS_PORT_UNCLAIMED, %edx
	mov %rbx, %rsi
	lea scratch, %rdi
	\insn
6:	mov saved_rsp, %rsp
	cld
.endm

.macro ALL_KINDS
	ODD movsq
	ODD rep movsb
	mov $2000, %ecx
	lea 1(%rbx), %rdi
	ODD stosb
	ODD lodsb
	ODD rep lodsw
	ODD scasb
	ODD cmpsb
	ODD outsb
	ODD rep outsb
	ODD xchg %rax, (%rbx)
	ODD xadd %rax, (%rbx)
	ODD lock cmpxchg %rcx, (%rbx)
	ODD negq (%rbx)
	ODD push (%rbx)
	ODD pop (%rbx)
	ODD sete (%rbx)
	ODD call *(%rbx)
	ODD jmp *(%rbx)
	ODD bts %rax, (%rbx)
	ODD imul (%rbx), %rcx
	ODD test %eax, (%rbx)
	ODD shlq $1, (%rbx)
	/* Of two operands, the other one is. */
	movq $7f, resume
	mov %rsp, saved_rsp
	mov %rbx, %rdi
	lea scratch, %rsi
	mov $3, %ecx
	rep movsb
7:	mov saved_rsp, %rsp
	movq $7f, resume
	mov %rbx, %rdi
	mov $1, %ecx
	mov $SS_PORT_UNCLAIMED, %edx
	insb
7:	movq $7f, resume
	mov %rbx, %rdi
	mov $1500, %ecx
	rep stosb
7:	movq $7f, resume
	mov %rbx, %rdi
	mov $3, %ecx
	rep insb
	/* In two pages, of which the second one is hidden, and code that ends in it. */
7:	movq $7f, resume
	mov -4(%rbx), %rax
7:	movq $7f, resume
	lea -1(%rbx), %rax
	jmp *%rax
	/* A stack. */
7:	movq $7f, resume
	lea 64(%rbx), %rsp
	call 7f
7:	mov saved_rsp, %rsp
	movq $7f, resume
	lea 64(%rbx), %rsp
	ret
7:	mov saved_rsp, %rsp
.endm

	CATCH_FAULTS
	.irp vector, VECTOR_SS, VECTOR_GP
	GATE \vector, page_fault
	movb $1, idt + 16 * \vector + 4
	.endr
	GATE VECTOR_UD, undefined
	movb $1, idt + 16 * VECTOR_UD + 4
	mov context, %rax
	mov CONTEXT_WINDOW(%rax), %r12
	/* The first byte of MOVABS, whose other bytes are on the page of each view that comes next. */
	movb $0x48, 2 * PAGE - 1(%r12)
	lea PAGE(%r12), %rbx
	lea 2 * PAGE(%r12), %r13
	ENTER_VIEW 1
	ALL_KINDS
	ENTER_VIEW 2
	mov %r13, %rbx
	ALL_KINDS
	ENTER_VIEW 0
	movabs $SS_WINDOW_PRIVATE_VALUE, %rcx
	cmp %rcx, (%r13)
	jne 1f
	movabs $SS_WINDOW_SHARED_VALUE, %rcx
	cmp %rcx, PAGE(%r12)
	jne 1f
	EXIT 0
1:	EXIT 6

undefined:
	push %rax
page_fault:
	add $8, %rsp
	push %rax
	mov resume, %rax
	mov %rax, 8(%rsp)
	pop %rax
	iretq

	.section .data
	.p2align 3
saved_rsp: .quad 0
scratch: .fill 4096, 1, 0x90
