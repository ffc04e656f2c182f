/* SPDX-License-Identifier: MIT */
#include "call.inc"

/*
 * The kernel remembers where the drivers' stacks stood, so that it can give a call up, whatever the
 * driver that it called had called in turn.
 */
	ENTRY kernel, VIEW_KERNEL
	BEGIN_CALL kernel
	pushq driver_a_saved(%rip)
	pushq driver_b_saved(%rip)
	SEND_CALL kernel, VIEW_KERNEL
kernel_no_call:
	cmp $MESSAGE_FAULT, %dil
	je 1f
	CHECK_ANSWER kernel
	add $16, %rsp
	jmp 2f
1:	shr $MESSAGE_VECTOR_SHIFT, %edi
	mov %r9, %rcx
	call kernel_fault	/* returns if a call is to be given up */
	popq driver_b_saved(%rip)
	popq driver_a_saved(%rip)
	mov $CALL_KILLED, %rsi
2:	END_CALL kernel

	.section .note.GNU-stack, "", @progbits
