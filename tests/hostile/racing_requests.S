/* SPDX-License-Identifier: GPL-2.0-only */
/* While one vCPU makes requests, all others rewrite them: size, number and arguments, good and bad. */
#include "guest.inc"
	mov $request, %edi
	test %esi, %esi
	jz 2f
1:	movl $-1, (%rdi)
	movl $8, 4(%rdi)
	movq $SS_IMAGE_GPA, 16(%rdi)
	movq $-1, 24(%rdi)
	movl $64, (%rdi)
	movq $4, 24(%rdi)
	movl $-1, 4(%rdi)
	movq $-1, 16(%rdi)
	movl $2, 4(%rdi)
	movq $0x7fffffff, 16(%rdi)
	jmp 1b
2:	movl $64, (%rdi)
	mov $20000, %ecx
	mov $SS_PORT_CONTROL, %edx
	mov %edi, %eax
3:	out %eax, %dx
	dec %ecx
	jnz 3b
	EXIT 0
