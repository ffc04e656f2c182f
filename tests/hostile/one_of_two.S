/* SPDX-License-Identifier: GPL-2.0-only */
/* The first VM ends, any other goes on for ever. */
#include "guest.inc"
	cmpl $0, 20(%rdi)
1:	jne 1b
	EXIT 0
