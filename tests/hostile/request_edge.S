/* SPDX-License-Identifier: GPL-2.0-only */
/* A request of which the last byte is outside. */
#include "guest.inc"
	mov CONTEXT_MEMORY_SIZE(%rdi), %rax
	sub $63, %rax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
	EXIT 0
