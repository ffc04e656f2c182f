/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 32- and 16-bit code in compatibility mode: loads and stores of a page that the active view hides, through a
 * segment with a base, and CR0 in every encoding that the mode changes. Whoever steps in finds operands
 * and ends of instructions by CS.D and the segments. A hidden page may be refused or fault; a fault must
 * tell the right address. The exit status is the number of the check that failed, 0 if none has.
 */
#include "violation.inc"

#define SEL_CODE32 0x18
#define SEL_CODE16 0x20
#define SEL_HIDDEN 0x38	/* where the hidden page is at HIDDEN */
#define SEL_WORD 0x40	/* where `word` is at WORD */
#define SEL_SHORT 0x48	/* the same, with a limit in front of it */
#define HIDDEN 0x100
#define WORD 0x20
#define BASE SS_CR0_BASE
#define TS 8
#define MP 2
#define VECTOR_UD 6
#define VECTOR_GP 13

/* Base of a segment; clobbers eax. */
.macro SET_BASE selector, from:vararg
	lea \from, %rax
	mov %ax, gdt + \selector + 2
	shr $16, %eax
	mov %al, gdt + \selector + 4
	mov %ah, gdt + \selector + 7
.endm

/* Calls 32- or 16-bit code, and with it what follows. */
.macro CALL_FAR selector, offset
	movl $\offset, pointer
	movw $\selector, pointer + 4
	lcall *pointer
.endm

/* One access of the hidden page; EDX is 0 if it did not fault. Number of the check in ECX; `origin` is the
 * base of the code segment. */
.macro ACCESS number, origin, insn:vararg
	mov $\number, %ecx
	mov $(5f - \origin), %ebp
	xor %edx, %edx
	\insn
5:
.endm

.macro EXPECT value, reg, faulted=0
	.if \faulted
	test %edx, %edx
	jnz 6f
	.endif
	cmp $\value, \reg
	jne failed\@
	jmp 6f
failed\@:
	mov %ecx, %eax
	out %al, $SS_PORT_EXIT
6:
.endm

.macro LOAD data
	mov $\data, %eax
	mov %eax, %ds
.endm

	CATCH_FAULTS
	GATE VECTOR_PF, on_fault
	GATE VECTOR_GP, on_general
	GATE VECTOR_UD, on_general
	mov context, %rbx
	mov CONTEXT_WINDOW(%rbx), %r8
	mov CONTEXT_VCPU_PAGES(%rbx), %rax
	mov PAGE_CR0_OWNED(%rax), %eax
	and $(TS | MP), %eax
	cmp $(TS | MP), %eax
	sete native
	add $2 * PAGE, %r8
	SET_BASE SEL_HIDDEN, -HIDDEN(%r8)
	SET_BASE SEL_WORD, word - WORD
	SET_BASE SEL_SHORT, word - WORD
	SET_BASE SEL_CODE16, code16
	lgdt new_gdt
	ENTER_VIEW 2
	mov $SS_SEL_DATA, %eax
	mov %eax, %es
	movabs $0x1111111100000000 + BASE + TS, %rdi
	movabs $0x2222222200000000 + BASE, %rsi
	CALL_FAR SEL_CODE32, code32
	mov %cr0, %rax
	mov $50, %ecx
	EXPECT BASE, %eax
	CALL_FAR SEL_CODE16, 0
	mov %cr0, %rax
	mov $51, %ecx
	EXPECT BASE, %eax
	EXIT 0

	.code32
code32:
	mov $1, %ecx
	mov %edi, %cr0		/* bits 63:32 are not there */
	mov %cr0, %eax
	EXPECT BASE | TS, %eax
	mov %esi, %cr0
	mov %cr0, %eax
	EXPECT BASE, %eax
	LOAD SEL_HIDDEN
	ACCESS 2, 0, .byte 0xa1, 0, 1, 0, 0	/* mov 0x100, %eax */
	EXPECT -1, %eax, 1
	ACCESS 3, 0, .byte 0x67, 0xa1, 0, 1	/* mov 0x100, %eax */
	EXPECT -1, %eax, 1
	mov $0xfffffff0, %ebx
	mov $4, %esi
	ACCESS 4, 0, mov HIDDEN(%ebx, %esi, 4), %eax
	EXPECT -1, %eax, 1
	mov $HIDDEN, %ebx
	ACCESS 5, 0, mov %eax, (%ebx)
	mov $0x12345678, %eax
	ACCESS 6, 0, mov (%ebx), %ax
	EXPECT 0x1234ffff, %eax, 1
	ACCESS 7, 0, .byte 0x89, 0x05, 0, 1, 0, 0	/* mov %eax, 0x100, not relative to EIP */
	LOAD SEL_WORD
	mov $8, %ecx
	movw $(TS | MP | 1), WORD
	.byte 0x0f, 0x01, 0x35, WORD, 0, 0, 0	/* lmsw WORD */
	mov %cr0, %eax
	EXPECT BASE | TS | MP, %eax
	mov $9, %ecx
	movw $0, WORD
	.byte 0x0f, 0x01, 0x25, WORD, 0, 0, 0	/* smsw WORD */
	movzwl WORD, %eax
	EXPECT (BASE & 0xffff) | TS | MP, %eax
	mov $10, %ecx
	mov $-1, %eax
	smsw %ax
	EXPECT 0xffff0000 | (BASE & 0xffff) | TS | MP, %eax
	mov $11, %ecx
	mov $MP | 1, %eax
	lmsw %ax
	mov %cr0, %eax
	EXPECT BASE | MP, %eax
	LOAD SEL_SHORT
	ACCESS 12, 0, mov WORD, %eax
	test %edx, %edx
	jnz 1f
	cmpb $0, %es:native	/* an emulated processor may not look at limits; the VMM does */
	jne 2f
1:	ACCESS 13, 0, lmsw WORD			/* beyond the limit */
	EXPECT VECTOR_GP, %edx
	ACCESS 14, 0, smsw WORD - 1		/* across it */
	EXPECT VECTOR_GP, %edx
2:	LOAD SS_SEL_DATA
	mov $BASE, %eax
	mov %eax, %cr0
	lret

	.code16
code16:
	LOAD SEL_HIDDEN
	mov $0x12345678, %eax
	ACCESS 20, code16, .byte 0xa1, 0, 1	/* mov 0x100, %ax */
	EXPECT 0x1234ffff, %eax, 1
	ACCESS 21, code16, .byte 0x66, 0xa1, 0, 1	/* mov 0x100, %eax */
	EXPECT -1, %eax, 1
	mov $0xfff0, %ebx
	mov $0x20, %esi
	ACCESS 22, code16, mov 0xf0(%bx, %si), %eax
	EXPECT -1, %eax, 1
	mov $HIDDEN, %ebx
	ACCESS 23, code16, mov %ax, (%bx)
	ACCESS 24, code16, .byte 0x67, 0x66, 0x8b, 0x03	/* mov (%ebx), %eax */
	EXPECT -1, %eax, 1
	LOAD SEL_WORD
	mov $25, %ecx
	movw $(TS | MP | 1), WORD
	.byte 0x0f, 0x01, 0x36, WORD, 0		/* lmsw WORD */
	mov %cr0, %eax
	EXPECT BASE | TS | MP, %eax
	mov $26, %ecx
	movw $0, WORD
	.byte 0x0f, 0x01, 0x26, WORD, 0		/* smsw WORD */
	movzwl WORD, %eax
	EXPECT (BASE & 0xffff) | TS | MP, %eax
	mov $27, %ecx
	mov $-1, %eax
	.byte 0x0f, 0x01, 0xe0			/* smsw %ax, of 16 bits without a prefix */
	EXPECT 0xffff0000 | (BASE & 0xffff) | TS | MP, %eax
	mov $28, %ecx
	clts
	mov %cr0, %eax
	EXPECT BASE | MP, %eax
	mov $29, %ecx
	xor $(TS | MP), %eax
	mov %eax, %cr0
	mov %cr0, %eax
	EXPECT BASE | TS, %eax
	LOAD SS_SEL_DATA
	mov $BASE, %eax
	mov %eax, %cr0
	lretl

	.code64
/* Goes on at CS:EBP. */
on_fault:
	add $8, %rsp
	push %rax
	mov %cr2, %rax
	sub %r8, %rax
	pop %rax
	jnz 1f
	mov %rbp, (%rsp)
	mov $VECTOR_PF, %edx
	iretq
on_general:
	add $8, %rsp
	mov %rbp, (%rsp)
	mov $VECTOR_GP, %edx
	iretq
1:	EXIT 99
	FAULT_HANDLER

	.section .data
	.p2align 3
native:	.byte 0			/* nobody steps in when CR0 is accessed */
	.p2align 3
word:	.word 0
	.p2align 3
pointer:
	.long 0
	.word 0
new_gdt:
	.word 10 * 8 - 1
	.quad gdt
	.p2align 3
gdt:	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0x00009b000000ffff	/* 16-bit code */
	.quad 0, 0
	.quad 0x00cf93000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x004093000000001f	/* limit WORD - 1 */
