/* SPDX-License-Identifier: GPL-2.0-only */
/* The host lets one page be pinned and no more: what is refused leaves nothing behind. */
#include "guest.inc"
#include "gate.inc"
#include "service.inc"

	SERVICES
	SERVICE -ENOMEM, SERVICE_PIN, SS_RIGHT_READ, buffer, 8192
	INVOKE SERVICE_PIN, SS_RIGHT_READ, buffer, 4096
	cmp $0, %rax
	jle bad
	mov %eax, %ebp
	SERVICE -ENOMEM, SERVICE_PIN, SS_RIGHT_READ, buffer+4096, 4096
	mov $SERVICE_UNPIN, %eax
	mov %ebp, %ecx
	vmfunc
	test %rax, %rax
	jne bad
	INVOKE SERVICE_PIN, SS_RIGHT_READ, buffer+4096, 4096
	cmp $0, %rax
	jle bad
	EXIT 0
bad:	EXIT 4

	.section .bss
	.p2align 12
buffer:	.fill 8192, 1, 0
