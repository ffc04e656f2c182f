/* SPDX-License-Identifier: MIT */
/*
 * The page through which control passes from one view to the other, and the only one with a VMFUNC. Both
 * views show it, to be read and executed.
 *
 * VMFUNC takes the view from ECX, whoever has put it there, and anybody may jump to it. So the code behind
 * each VMFUNC first makes sure that it is in the view for which it was written, and behind the second one
 * that a call is under way.
 */
#include "layout.h"

	.section .gate, "ax"

/* In front of and behind VMFUNC the stack is in memory that both views have: where VMFUNC raises #UD, the
 * handler switches views and returns by what is on the stack. */
.macro ENTER view
	lea transit_top(%rip), %rsp
	xor %eax, %eax
	mov $\view, %ecx
	vmfunc
	test %eax, %eax
	jnz refuse
	cmp $\view, %ecx
	jne refuse
.endm

/* uint64_t call_service(uint64_t command, uint64_t argument) */
	.globl call_service
call_service:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, caller_rsp(%rip)

	ENTER VIEW_SERVICE
	lea service_top(%rip), %rsp
	call service_main
	mov %rax, %rdx

	ENTER VIEW_KERNEL
	mov caller_rsp(%rip), %rsp
	test %rsp, %rsp
	jz refuse
	movq $0, caller_rsp(%rip)
	mov %rdx, %rax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

refuse:
	mov $EXIT_REFUSED, %al
	out %al, $SS_PORT_EXIT
1:	jmp 1b

/* #UD: this processor has no VMFUNC for this guest, and the VMM is asked. It reads and writes the request
 * whatever the view; OUT returns in the new one. */
	.globl on_undefined
on_undefined:
	push %rdx
	movl $64, vmfunc_request(%rip)
	movl $4, vmfunc_request + 4(%rip)	/* SS_REQUEST_VMFUNC */
	mov %eax, vmfunc_request + 16(%rip)
	mov %ecx, vmfunc_request + 24(%rip)
	lea vmfunc_request(%rip), %eax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
	cmpl $0, vmfunc_request + 8(%rip)
	jne refuse
	cmpq $SS_VMFUNC_STEP, vmfunc_request + 48(%rip)
	jne refuse
	mov vmfunc_request + 56(%rip), %rax
	addq $3, 8(%rsp)
	pop %rdx
	iretq

/* Memory that both views have, with nothing in it that is worth anything to either. */
	.section .transit, "aw"
	.balign 16
	.fill TRANSIT_STACK_SIZE, 1, 0
transit_top:
vmfunc_request:
	.fill 64, 1, 0

	.section .service.data, "aw"
	.balign 16
	.fill SERVICE_STACK_SIZE, 1, 0
service_top:

	.data
	.balign 8
caller_rsp:
	.quad 0

	.section .note.GNU-stack, "", @progbits
