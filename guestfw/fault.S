/* SPDX-License-Identifier: MIT */
/* Exception and interrupt entries. */
#include "abi.h"
#include "guest.h"
#include "offsets.h"
#include "vectors.inc"

/* As this_cpu(). */
.macro THIS_CPU reg
	mov %rsp, \reg
	and $-2 * SS_STACK_SIZE, \reg
	mov (\reg), \reg
.endm

	.text
	.p2align 4
	.globl fault_entries
fault_entries:
	VECTOR_ENTRIES fault_common

fault_common:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	call fault_handle
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq

	/* Interrupts only have to end a HLT; there is no controller to acknowledge. */
	.p2align 4
	.globl interrupt_entry
interrupt_entry:
	iretq

	/* The same, counted, for operations that want to know. */
	.p2align 4
	.globl counted_interrupt_entry
counted_interrupt_entry:
	push %rax
	THIS_CPU %rax
	incl CPU_INTERRUPTS(%rax)
	pop %rax
	iretq

	/* The page that the processor writes for a #VE is free for the next one at once: what it says is not asked. */
	.p2align 4
	.globl ve_entry
ve_entry:
	push %rax
	THIS_CPU %rax
	mov CPU_VE(%rax), %rax
	movl $0, VE_BUSY(%rax)
	pop %rax
	pushq $0
	pushq $VECTOR_VE
	jmp fault_common

	.section .note.GNU-stack, "", @progbits
