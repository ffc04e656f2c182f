/* SPDX-License-Identifier: GPL-2.0-only */
/* Does nothing, for ever. */
#include "guest.inc"
1:	jmp 1b
