/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaves 64-bit mode without the steps that takes. */
#include "guest.inc"
	xor %eax, %eax
	mov %rax, %cr0
1:	jmp 1b
