/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of several guests on a vCPU, which neither yields nor halts: it ends when it notices that another one has had the
 * processor, by the time that is missing. Without a timer that takes the vCPU from it, it never does. Interrupts are on: the
 * emulated Intel processor keeps the host's from a nested guest that has them off.
 */
#include "guest.inc"

#define MISSING 700000	/* ticks, of a slice of 1 ms in the labs */

.macro NOW to
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, %\to
.endm
	sti
	NOW rsi
again:	NOW rdi
	mov %rdi, %rcx
	sub %rsi, %rcx
	mov %rdi, %rsi
	cmp $MISSING, %rcx
	jb again
	EXIT 0
