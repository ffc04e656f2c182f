/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports the same operation again and again, with as many samples as there may be. */
#include "tests/hostile/guest.inc"
	CATALOGUE
	mov CONTEXT_VCPU_PAGES(%rdi), %rbx
	ARGUMENT 0, 1
	movl $1, PAGE_RESULT(%rbx)
	movl $1, PAGE_RESULT + 32(%rbx)
	movl $SS_MAX_SAMPLES, PAGE_RESULT + 36(%rbx)
	mov $100, %r12d
3:	REQUEST 9, 0
	dec %r12d
	jnz 3b
	EXIT 0
