/* SPDX-License-Identifier: GPL-2.0-only */
/* CR8 raised and lowered, as often as there are values: KVM tells the VMM of it when it falls, and the guest
 * goes on. Exit status 0: every value reads back; 1: one does not. */
#include "guest.inc"
	mov $15, %ebx
1:	mov $15, %eax
	mov %rax, %cr8
	mov %rbx, %cr8
	mov %cr8, %rax
	cmp %rbx, %rax
	jne 2f
	dec %ebx
	jns 1b
	EXIT 0
2:	EXIT 1
