/* SPDX-License-Identifier: GPL-2.0-only */
/* Every way to set how a vector is handled, and what becomes of interrupts then. */
#include "guest.inc"
#include "gate.inc"
#include "service.inc"
#define LOW 0x60
#define HIGH 0x61

.macro SET vector, disposition
	SERVICE 0, SERVICE_INTERRUPT, \vector, \disposition
.endm

.macro RAISE vector
	ARGUMENT 0, \vector
	REQUEST REQUEST_RAISE, 0
.endm

/* Takes what is pending, at the latest at the exit of a request; the handlers have left this behind. */
.macro TAKES wanted
	movl $0, taken
	sti
	nop
	REQUEST 5, 0
	REQUEST 5, 0
	cli
	cmpl $\wanted, taken
	je 1f
	EXIT 4
1:
.endm

	SERVICES
	GATE LOW, on_low
	GATE HIGH, on_high
	SERVICE -EINVAL, SERVICE_INTERRUPT, 0, DELIVER
	SERVICE -EINVAL, SERVICE_INTERRUPT, 31, HOLD
	SERVICE -EINVAL, SERVICE_INTERRUPT, 256, HOLD
	SERVICE -EINVAL, SERVICE_INTERRUPT, 0x80000060, DROP
	SERVICE -EINVAL, SERVICE_INTERRUPT, LOW, 0
	SERVICE -EINVAL, SERVICE_INTERRUPT, LOW, 4
	SERVICE -EINVAL, SERVICE_INTERRUPT, LOW, 0x100000002
	RAISE LOW
	TAKES 0x60
	SET LOW, HOLD
	RAISE LOW
	RAISE LOW
	TAKES 0
	RAISE HIGH		/* one that is held keeps no other back */
	TAKES 0x61
	SET LOW, DELIVER
	TAKES 0x60
	TAKES 0
	SET LOW, DROP
	RAISE LOW
	SET LOW, DELIVER
	TAKES 0
	/* Held and then dropped. */
	SET LOW, HOLD
	RAISE LOW
	SET LOW, DROP
	SET LOW, DELIVER
	TAKES 0
	/* Pending, and then held; the higher one first when both are delivered. */
	RAISE LOW
	RAISE HIGH
	SET HIGH, HOLD
	SET LOW, HOLD
	TAKES 0
	SET LOW, DELIVER
	SET HIGH, DELIVER
	TAKES 0x6160
	/* An interrupt that is pending while the monitor, if there is one, is asked right after STI: the
	 * instruction does its work, and the interrupt comes when the shadow of STI is over. */
	RAISE LOW
	movl $0, taken
	mov $SERVICE_INTERRUPT, %eax
	mov $HIGH, %ecx
	mov $DELIVER, %edx
	sti
	vmfunc
	mov %rax, %rbp
	REQUEST 5, 0
	REQUEST 5, 0
	cli
	test %rbp, %rbp
	jne bad
	cmpl $LOW, taken
	jne bad
	EXIT 0
bad:	EXIT 4

.macro HANDLER name, vector
\name:	shll $8, taken
	orl $\vector, taken
	iretq
.endm
	HANDLER on_low, LOW
	HANDLER on_high, HIGH

	.section .data
	.p2align 2
taken:	.long 0
