/* SPDX-License-Identifier: MIT */
/* Entry point and exception entry. The VMM has put the vCPU into 64-bit mode (abi.h). */
#include "abi.h"
#include "offsets.h"

	.text
	.globl _start
_start:
	cld
	call firmware_main
	/* A vCPU with nothing left to do: HLT with interrupts off parks it for good. */
9:	cli
	hlt
	jmp 9b

/* Exceptions that push an error code (Intel SDM vol. 3A, table 6-1). */
#define ERROR_CODE_VECTORS 0x60227d00

.macro VECTOR number
	.p2align 4
	.if ((ERROR_CODE_VECTORS >> \number) & 1) == 0
	pushq $0
	.endif
	pushq $\number
	jmp fault_common
.endm

	.p2align 4
	.globl fault_entries
fault_entries:
	.set vector, 0
	.rept 32
	VECTOR vector
	.set vector, vector + 1
	.endr

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
	mov %rsp, %rax
	and $-2 * SS_STACK_SIZE, %rax
	mov (%rax), %rax
	incl CPU_INTERRUPTS(%rax)
	pop %rax
	iretq

	.section .note.GNU-stack, "", @progbits
