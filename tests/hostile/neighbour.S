/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of several guests on a vCPU, each hostile to the others: fills what it can of the processor and of memory with
 * a value of its own, lets the others run, and looks whether it finds everything again.
 */
#include "guest.inc"

#define HYPERCALL_YIELD 0x53530005
#define ROUNDS 100
#define MEMORY 0x300000
#define WORDS 512

/* The value that is expected of an entry: the guest's own, different for each. */
.macro OWN n
	lea \n(%r15), %rax
.endm
.macro WRITE_MSR index
	OWN \index & 0xff
	xor %edx, %edx
	mov $\index, %ecx
	wrmsr
.endm
.macro CHECK_MSR index
	mov $\index, %ecx
	rdmsr
	lea \index & 0xff(%r15), %rcx
	cmp %ecx, %eax
	jne bad
.endm
.macro WRITE_XMM n
	OWN \n
	movq %rax, %xmm\n
.endm
.macro CHECK_XMM n
	movq %xmm\n, %rcx
	OWN \n
	cmp %rax, %rcx
	jne bad
.endm
.macro WRITE_DR n
	OWN \n
	mov %rax, %db\n
.endm
.macro CHECK_DR n
	mov %db\n, %rcx
	OWN \n
	cmp %rax, %rcx
	jne bad
.endm
	mov 20(%rdi), %r15d	/* vm_index */
	mov 56(%rdi), %r14d	/* flags */
	shl $32, %r14
	inc %r15d
	imul $0x10000, %r15, %r15
	or $ROUNDS, %r14
round:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	WRITE_XMM \n
	.endr
	.irp n, 0, 1, 2, 3
	WRITE_DR \n
	.endr
	.irp index, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0x175, 0x176
	WRITE_MSR \index
	.endr
	OWN 0x55
	mov %rax, %cr2
	mov $MEMORY, %rdi
	mov $WORDS, %ecx
	rep stosq
	mov %cr0, %rax
	mov %rax, %r13
	xor $8, %r13	/* TS, which nobody but this guest sees change */
	mov %r13, %cr0
	.irp r, rbx, rsi, rdi, rbp, r8, r9, r10, r11, r12
	mov %r15, %\r
	.endr
	mov $HYPERCALL_YIELD, %eax
	btq $33, %r14	/* SS_CONTEXT_VMMCALL */
	jc 1f
	vmcall
	jmp 2f
1:	vmmcall
2:
	test %rax, %rax
	jne bad
	.irp r, rbx, rsi, rdi, rbp, r8, r9, r10, r11, r12
	cmp %r15, %\r
	jne bad
	.endr
	mov %cr0, %rax
	cmp %rax, %r13
	jne bad
	clts
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	CHECK_XMM \n
	.endr
	.irp n, 0, 1, 2, 3
	CHECK_DR \n
	.endr
	.irp index, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0x175, 0x176
	CHECK_MSR \index
	.endr
	mov %cr2, %rcx
	OWN 0x55
	cmp %rax, %rcx
	jne bad
	mov $MEMORY, %rdi
	mov $WORDS, %ecx
	repe scasq
	jne bad
	dec %r14	/* of which the lower half counts */
	test %r14d, %r14d
	jnz round
	EXIT 0
bad:	EXIT 3
