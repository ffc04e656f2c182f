/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports every operation of its catalogue again and again, with as many samples as there may be. */
#include "tests/hostile/guest.inc"

#define OPERATIONS 16
#define REPORTS 10

	.section .sidestep.operations, "a", @progbits
	.p2align 3
	.set number, 0
	.rept OPERATIONS
	.ascii "operation."
	.byte 'a' + number
	.fill 40 - 11, 1, 0
	.fill 24, 1, 0
	.asciz "an operation"
	.fill 96 - 13, 1, 0
	.quad _start, _start, 0
	.long 1, 1, 0, 1, 0, 0, 0, 0, 0, 0
	.set number, number + 1
	.endr

	.section .text.start
	mov CONTEXT_VCPU_PAGES(%rdi), %rbx
	movl $1, PAGE_RESULT + 32(%rbx)
	movl $SS_MAX_SAMPLES, PAGE_RESULT + 36(%rbx)
	mov $REPORTS, %r12d
3:	mov $OPERATIONS, %r13d
4:	mov %r13d, PAGE_RESULT(%rbx)
	mov %r13, request + 16
	REQUEST 9, 0
	dec %r13d
	jnz 4b
	dec %r12d
	jnz 3b
	EXIT 0
