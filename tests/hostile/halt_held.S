/* SPDX-License-Identifier: GPL-2.0-only */
/* Each of two HLTs raises a vector: the first ends by it, the second does not, because it is held. */
#include "guest.inc"
#include "gate.inc"
#include "service.inc"
#define VECTOR 0x60

	SERVICES
	GATE VECTOR, on_interrupt
	ARGUMENT 0, VECTOR
	ARGUMENT 1, 2
	REQUEST 6, 0
	sti
	hlt
	cli
	cmpl $1, taken
	jne bad
	SERVICE 0, SERVICE_INTERRUPT, VECTOR, HOLD
	sti
	hlt
	EXIT 0
bad:	EXIT 4
on_interrupt:
	incl taken
	iretq

	.section .data
	.p2align 2
taken:	.long 0
