/* SPDX-License-Identifier: GPL-2.0-only */
/* Halts for ever; every halt raises the vector that ends it. */
#include "guest.inc"
#include "gate.inc"
#include "service.inc"
#define VECTOR 0x60

	SERVICES
	GATE VECTOR, on_interrupt
	ARGUMENT 0, VECTOR
	ARGUMENT 1, 0xffffffffffffffff
	REQUEST 6, 0
	sti
2:	hlt
	jmp 2b
on_interrupt:
	iretq
