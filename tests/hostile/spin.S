/* SPDX-License-Identifier: GPL-2.0-only */
/* Does nothing, for ever. With interrupts on: with them off, Bochs does not see those of the host while the guest runs, and
 * nothing ends the guest (docs/labs.md). */
#include "guest.inc"
	sti
1:	jmp 1b
