/* SPDX-License-Identifier: GPL-2.0-only */
/* Page tables that are their own lower levels, all of them. */
#include "guest.inc"
	mov %cr3, %rbx
	lea 0x67(%rbx), %rax
	mov $512, %ecx
	mov %rbx, %rdi
	cld
	rep stosq
	mov %rbx, %cr3
1:	incq (%rbx)
	jmp 1b
