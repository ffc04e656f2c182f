/* SPDX-License-Identifier: GPL-2.0-only */
/* A page fault whose own delivery the view forbids is a double fault: on a stack that may be written, the
 * handler ends the guest with status 0. With the exit status of vector 8 unset, it is a triple fault. */
#include "tests/hostile/violation.inc"

#define VECTOR_DF 8
#define TSS_IST2 44

	CATCH_FAULTS
	/* No stack of their own for page faults; double faults get it. */
	movb $0, idt + 16 * VECTOR_PF + 4
	GATE VECTOR_DF, double_fault
	movb $1, idt + 16 * VECTOR_DF + 4
	mov context, %rax
	mov CONTEXT_WINDOW(%rax), %rbx
	ENTER_VIEW 1
	lea PAGE + 0x100(%rbx), %rsp
	push %rax
	EXIT 5
double_fault:
	cmpq $0, (%rsp)		/* error code */
	jne wrong
	EXIT 0
	FAULT_HANDLER
