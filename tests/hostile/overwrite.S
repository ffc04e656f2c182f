/* SPDX-License-Identifier: GPL-2.0-only */
/* Fills the VMM's boot structures: page tables, descriptors, context area, its own page. */
#include "guest.inc"
	cld
	mov $0x1000, %edi
	mov $0xdf000, %ecx
	mov $0xff, %al
	rep stosb
	mov %cr3, %rax
	mov %rax, %cr3
	int $3
1:	jmp 1b
