/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the page tables end. */
#include "guest.inc"
	movabs $0x700000000000, %rax
	jmp *%rax
