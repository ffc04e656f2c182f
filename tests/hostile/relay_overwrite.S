/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes where the monitor has its code, its tables, its view list and the indices of its ring. No
 * view shows that memory, so nothing may arrive, and what is read is what no device answers: all ones.
 */
#include "guest.inc"
#include "guestfw/relay/relay.h"

.macro SWEEP start, end, step
	mov $\start, %ebx
1:	movq $0x41414141, (%rbx)
	mov (%rbx), %rax	/* a plain MOV is what a forbidden access can be completed for */
	cmp $-1, %rax
	jne bad
	add $\step, %ebx
	mov $\end, %ecx
	cmp %ecx, %ebx
	jb 1b
.endm
	SWEEP RELAY_BASE, RELAY_BASE + RELAY_SIZE, 0x10000
	SWEEP RELAY_VCPUS, RELAY_VCPUS + 0x200, 8	/* registers, words, head and tail */
	SWEEP RELAY_LISTS, RELAY_LISTS + 64, 8
	SWEEP RELAY_CONTROL, RELAY_CONTROL + 0x2000, 0x100
	/* The port by which the relay asks: worthless here. */
	mov $RELAY_PORT, %edx
	mov $1000, %ecx
2:	out %al, %dx
	dec %ecx
	jnz 2b
	EXIT 0
bad:	EXIT 3
