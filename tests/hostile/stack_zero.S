/* SPDX-License-Identifier: GPL-2.0-only */
/* No stack, and then an exception. */
#include "guest.inc"
	xor %esp, %esp
	int $3
1:	jmp 1b
