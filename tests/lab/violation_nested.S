/* SPDX-License-Identifier: GPL-2.0-only */
/* Violations that only a nested guest has, with --on-violation report, which can do nothing for them but
 * raise the page fault: one in the guest's own page tables, and one while an exception is delivered. */
#include "tests/hostile/violation.inc"

#define PTE 3
#define HIGH 0x8000000000	/* in the second entry of the topmost table */
#define VECTOR_UD 6

	.section .bss
	.p2align 12
directories:
	.fill 2 * PAGE, 1, 0
	.section .text.start

	CATCH_FAULTS
	mov context, %rax
	mov CONTEXT_WINDOW(%rax), %r12
	lea 2 * PAGE(%r12), %r13	/* private: the last level of tables for HIGH */
	/* The other levels are ours, and in every view. */
	mov %cr3, %rax
	lea directories + PTE, %rcx
	mov %rcx, 8(%rax)
	lea directories + PAGE + PTE, %rcx
	mov %rcx, directories
	lea PTE(%r13), %rcx
	mov %rcx, directories + PAGE
	movq $directories + PTE, (%r13)
	movabs $HIGH, %rbx
	mov (%rbx), %rax
	cmp directories, %rax
	jne wrong

	/* What it is translated by is not there in view 2. */
	ENTER_VIEW 2
	FAULTS PF_PRESENT, 0, mov (%rbx), %rax

	/* #UD on a stack that view 1 may read only: the page fault takes its place. */
	ENTER_VIEW 1
	GATE VECTOR_UD, 9f
	lea PAGE(%r12), %rbx
	mov %rsp, %r15
	lea 0x100(%rbx), %rsp
	FAULTS PF_PRESENT | PF_WRITE, 0xf8, ud2
	mov %r15, %rsp
	mov context, %rax
	ENTER_VIEW 0
	EXIT 0
	/* Nobody gets here: its frame could not be written. */
9:	EXIT 8
	FAULT_HANDLER
