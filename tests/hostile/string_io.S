/* SPDX-License-Identifier: GPL-2.0-only */
/* Long transfers at every port with a device, and at one without. */
#include "guest.inc"
	cld
	/* Every byte arrives, not only the first of what one exit brings. */
.macro EXPECT_INPUT port, value
	mov $0x200000, %edi
	mov $\port, %edx
	mov $3000, %ecx
	rep insb
	mov $0x200000, %edi
	mov $\value, %al
	mov $3000, %ecx
	repe scasb
	jne 4f
.endm
	EXPECT_INPUT SS_PORT_UNCLAIMED, 0xff
	EXPECT_INPUT SS_PORT_DEBUG, 0xe9
	EXPECT_INPUT SS_PORT_SERIAL + 5, 0x60
	lea ports(%rip), %rbx
1:	movzwl (%rbx), %edx
	test %edx, %edx
	jz 2f
	mov $0x200000, %edi
	mov $600, %ecx
	rep insb
	mov $0x200000, %edi
	mov $600, %ecx
	rep insw
	mov $0x200000, %edi
	mov $600, %ecx
	rep insl
	mov $0x300000, %esi
	mov $600, %ecx
	rep outsb
	mov $0x300000, %esi
	mov $600, %ecx
	rep outsw
	mov $0x300000, %esi
	mov $600, %ecx
	rep outsl
	add $2, %rbx
	jmp 1b
	/* Zeros to the exit port: the first one counts. */
2:	mov $SS_PORT_EXIT, %edx
	mov $0x300000, %esi
	mov $600, %ecx
	rep outsb
3:	jmp 3b
4:	EXIT 5
ports:	.word SS_PORT_UNCLAIMED, SS_PORT_SERIAL, SS_PORT_SERIAL + 1, SS_PORT_SERIAL + 3
	.word SS_PORT_SERIAL + 4, SS_PORT_SERIAL + 7, SS_PORT_DEBUG, SS_PORT_CONTROL
	.word SS_PORT_CONTROL + 1, SS_PORT_CONTROL + 3, 0
