/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes the device and the addresses around it, in every size. */
#include "guest.inc"
1:	mov $SS_MMIO_GPA - 8, %ebx
2:	movb $1, (%rbx)
	movw $1, (%rbx)
	movl $1, (%rbx)
	movq $1, (%rbx)
	mov (%rbx), %al
	mov (%rbx), %ax
	mov (%rbx), %eax
	mov (%rbx), %rax
	inc %ebx
	cmp $SS_MMIO_GPA + 16, %ebx
	jne 2b
	jmp 1b
