/* SPDX-License-Identifier: GPL-2.0-only */
/* With --on-violation inject: every kind of instruction faults where it stands, before it has changed a
 * register, and the memory that it goes for is as it was. View 1 may read the second page of the window,
 * view 2 has no third one. */
#include "violation.inc"
	CATCH_FAULTS
	mov context, %rax
	mov CONTEXT_WINDOW(%rax), %rbx
	lea PAGE(%rbx), %r12		/* shared */
	lea 2 * PAGE(%rbx), %r13	/* private */
	mov $0xc3, %eax
	mov %al, 64(%r13)		/* RET */

	ENTER_VIEW 1
	mov %r12, %rbx
	FAULTS PF_PRESENT | PF_WRITE, 0, mov %rax, (%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0, mov %rax, (%r12)
	FAULTS PF_PRESENT | PF_WRITE, 8, mov %eax, 8(%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 6, mov %ax, 6(%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 1, mov %al, 1(%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0x99, mov %cl, (%rbx,%rcx)
	FAULTS PF_PRESENT | PF_WRITE, 0, movq $-2, (%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0, movb $7, (%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0, addq $1, (%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0, lock addl $1, (%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0, btsl $1, (%rbx)
	/* A stack that may be read only. */
	mov %rsp, %r15
	lea 0x100(%rbx), %rsp
	FAULTS PF_PRESENT | PF_WRITE, 0xf8, push %rax
	FAULTS PF_PRESENT | PF_WRITE, 0xf8, pushq $5
	mov %r15, %rsp
	mov (%rbx), %rax
	movabs $SS_WINDOW_SHARED_VALUE, %rcx
	cmp %rcx, %rax
	jne wrong

	ENTER_VIEW 2
	mov %r13, %rbx
	FAULTS PF_PRESENT, 0, mov (%rbx), %rax
	FAULTS PF_PRESENT, 8, mov 8(%rbx), %cl
	FAULTS PF_PRESENT, 0, movzbl (%rbx), %edx
	FAULTS PF_PRESENT, 0, add (%rbx), %rax
	FAULTS PF_PRESENT, 0, cmp %rax, (%rbx)
	FAULTS PF_PRESENT | PF_WRITE, 0, mov %rdx, (%rbx)
	/* The target of a call is where it faults, with the return address on the stack. */
	lea 64(%rbx), %rax
	mov %rax, wanted_cr2
	mov %rax, wanted_rip
	movq $PF_PRESENT | PF_FETCH, wanted_error
	movq $2f, resume
	call *%rax
1:	EXIT 5
2:	pop %rax
	cmp $1b, %rax
	jne wrong

	ENTER_VIEW 0
	movabs $SS_WINDOW_PRIVATE_VALUE, %rcx
	cmp %rcx, (%r13)
	jne wrong
	EXIT 0
	FAULT_HANDLER
