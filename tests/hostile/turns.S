/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of several guests on a vCPU, which neither yields nor halts: it ends some time after it has noticed that another one
 * has had the processor, by the time that is missing. Without a timer that takes the vCPU from it, it never does. It goes
 * on for a while for the others' sake: one that comes late has somebody to lose the processor to. Interrupts are on: the
 * emulated Intel processor keeps the host's from a nested guest that has them off.
 */
#include "guest.inc"

#ifndef MISSING
#define MISSING 700000	/* ticks, of a slice of 1 ms in the AMD lab, 10 ms in the Intel lab */
#define BEYOND 40000000	/* several slices */
#endif

.macro NOW to
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, %\to
.endm
#ifndef MASKED
	sti
#endif
	NOW rsi
again:	NOW rdi
	mov %rdi, %rcx
	sub %rsi, %rcx
	mov %rdi, %rsi
	cmp $MISSING, %rcx
	jb again
	add $BEYOND, %rsi
beyond:	NOW rdi
	cmp %rsi, %rdi
	jb beyond
	EXIT 0
