/* SPDX-License-Identifier: GPL-2.0-only */
/* The first vCPU ends the VM while the others are busy printing and asking. */
#include "guest.inc"
	mov %rsi, %rbx
	test %ebx, %ebx
	jz 2f
	mov $request, %edi
1:	mov $'y', %al
	out %al, $SS_PORT_DEBUG
	mov $SS_PORT_CONTROL, %edx
	mov %edi, %eax
	out %eax, %dx
	jmp 1b
2:	mov $1000, %ecx
3:	in $SS_PORT_UNCLAIMED, %al
	dec %ecx
	jnz 3b
	EXIT 9
