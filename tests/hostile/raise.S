/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts that are raised: vectors that cannot be sent; while they are off, when all arrive once they are
 * on, the highest first and each vector once; while they are on. */
#include "guest.inc"
#include "gate.inc"
#define RAISE 12

/* Turns interrupts on until the handlers have left this behind. A KVM that interprets looks for
 * interrupts between groups of instructions. */
.macro AWAIT wanted
	xor %ecx, %ecx
	sti
1:	inc %ecx
	cmp $100000, %ecx
	je bad
	cmpl $\wanted, taken
	jne 1b
	cli
.endm

	ARGUMENT 0, 31
	REQUEST RAISE, -EINVAL
	ARGUMENT 0, 256
	REQUEST RAISE, -EINVAL
	ARGUMENT 0, 0x100000040
	REQUEST RAISE, -EINVAL
	GATE 32, on_low
	GATE 64, on_middle
	GATE 255, on_high
	lidt idt_descriptor
	ARGUMENT 0, 64
	REQUEST RAISE, 0
	REQUEST RAISE, 0
	ARGUMENT 0, 255
	REQUEST RAISE, 0
	ARGUMENT 0, 32
	REQUEST RAISE, 0
	cmpl $0, taken
	jne bad
	AWAIT 0xff4020
	/* With interrupts on. */
	movl $0, taken
	sti
	nop
	ARGUMENT 0, 64
	REQUEST RAISE, 0
	ARGUMENT 0, 32
	REQUEST RAISE, 0
	AWAIT 0x4020
	/* HLT ends by one that is pending. */
	movl $0, taken
	REQUEST RAISE, 0
	sti
	hlt
	cli
	cmpl $0x20, taken
	jne bad
	EXIT 0
bad:	EXIT 4

.macro HANDLER name, vector
\name:	shll $8, taken
	orl $\vector, taken
	iretq
.endm
	HANDLER on_low, 32
	HANDLER on_middle, 64
	HANDLER on_high, 255

	.section .data
	.p2align 3
taken:	.long 0
idt_descriptor:
	.word 256 * 16 - 1
	.quad idt
	.section .bss
	.p2align 4
idt:	.fill 256 * 16, 1, 0
