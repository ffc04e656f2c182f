/* SPDX-License-Identifier: GPL-2.0-only */
/* Services by request: leaves and indexes that are refused, and a view in which the request's own  * page is another one. */
#include "guest.inc"
	mov 40(%rdi), %rbx	/* the window */
	ARGUMENT 0, 64
	REQUEST 4, 0
	cmpq $SS_VMFUNC_UD, request + 48
	jne 2f
	ARGUMENT 0, 63
	REQUEST 4, 0
	cmpq $SS_VMFUNC_UD, request + 48
	jne 2f
	ARGUMENT 0, 0
	ARGUMENT 1, 0xfffffffffffffffe
	REQUEST 4, 0
	cmpq $-34, request + 56	/* -ERANGE */
	jne 2f
	ARGUMENT 1, SS_SERVICE_IN_MEMORY	/* at address 0, where there is nothing */
	REQUEST 4, 0
	cmpq $-90, request + 56	/* -EMSGSIZE */
	jne 2f
	ARGUMENT 1, 511
	REQUEST 4, 0
	cmpq $-EINVAL, request + 56
	jne 2f
	mov $1000, %ebp
1:	mov %ebp, %eax
	and $3, %eax
	mov %rax, request + 24
	REQUEST 4, 0
	mov (%rbx), %rax
	mov request + 24, %rcx
	cmp %al, %cl
	jne 2f
	dec %ebp
	jnz 1b
	/* View 3 does not show the page: a request there is none. */
	ARGUMENT 1, 3
	REQUEST 4, 0
	lea 0x2000(%rbx), %eax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
	EXIT 0
2:	EXIT 5
