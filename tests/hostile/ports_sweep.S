/* SPDX-License-Identifier: GPL-2.0-only */
/* Every port, in every size and both directions, but for the accesses that reach the exit port. */
#include "guest.inc"
	mov $request, %esi
	xor %edx, %edx
1:	lea -(SS_PORT_EXIT - 3)(%rdx), %ecx
	cmp $4, %ecx
	jb 2f
	in %dx, %al
	in %dx, %ax
	in %dx, %eax
	/* A four-byte write to the control port is a request, so it gets one: of number 0. */
	mov %esi, %eax
	out %al, %dx
	out %ax, %dx
	out %eax, %dx
2:	inc %edx
	cmp $0x10000, %edx
	jne 1b
	EXIT 0
