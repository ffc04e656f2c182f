/* SPDX-License-Identifier: GPL-2.0-only */
/* The first vCPU ends the VM while the others do nothing but exit, to nobody but a monitor if there is one. */
#include "guest.inc"
	test %esi, %esi
	jz 2f
1:	pause	/* an emulator that performs processors in turns goes on to the next one */
	xor %eax, %eax
	cpuid
	jmp 1b
2:	mov $2000, %ecx
3:	pause
	dec %ecx
	jnz 3b
	EXIT 9
