/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions of a hypervisor that it has no right to. */
#include "guest.inc"
	mov %cr4, %rax
	or $0x2000, %rax
	mov %rax, %cr4
	vmxon request
	EXIT 0
