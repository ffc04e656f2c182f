/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests that are refused, and after which the guest goes on. */
#include "guest.inc"
	REQUEST 5, 0
	REQUEST 5, -EMSGSIZE, 0
	REQUEST 5, -EMSGSIZE, 63
	REQUEST 5, -EMSGSIZE, 65
	REQUEST 5, -EMSGSIZE, 0xffffffff
	REQUEST 0, -ENOSYS
	REQUEST 11, -ENOSYS
	REQUEST 0x7fffffff, -ENOSYS
	REQUEST 0x80000000, -ENOSYS
	REQUEST 0xffffffff, -ENOSYS
	/* Other sizes of access to the port, and other offsets, are no requests. */
	movl $0x55, request + 8
	mov $request, %eax
	mov $SS_PORT_CONTROL, %edx
	out %ax, %dx
	out %al, %dx
	inc %edx
	out %eax, %dx
	cmpl $0x55, request + 8
	jne 2f
	EXIT 0
2:	EXIT 4
