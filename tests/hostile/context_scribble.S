/* SPDX-License-Identifier: GPL-2.0-only */
/* Context area and vCPU pages full of other values at every request. */
#include "guest.inc"
	mov %rdi, %r8
	mov CONTEXT_VCPU_PAGES(%rdi), %r9
	mov $1, %ebx
	cld
1:	mov %r8, %rdi
	imul $1103515245, %rbx, %rax
	mov $512, %ecx
	rep stosq
	mov %r9, %rdi
	mov $512, %ecx
	rep stosq
	/* Batch, result and setup read what has been scribbled over; RESULT is request 9. */
	mov $1, %r10d
2:	movl $64, request
	mov %r10d, request + 4
	mov %rax, request + 16
	mov $SS_PORT_CONTROL, %edx
	push %rax
	mov $request, %eax
	out %eax, %dx
	pop %rax
	inc %r10d
	cmp $7, %r10d	/* FATAL, which would end it */
	jne 3f
	inc %r10d
3:	cmp $16, %r10d
	jne 2b
	inc %ebx
	cmp $500, %ebx
	jne 1b
	EXIT 0
