/* SPDX-License-Identifier: GPL-2.0-only */
/* Vectors that cannot be sent, then a million of one for which there is no handler. */
#include "guest.inc"
	ARGUMENT 1, 1000000
	ARGUMENT 0, 0
	REQUEST 6, -EINVAL
	ARGUMENT 0, 31
	REQUEST 6, -EINVAL
	ARGUMENT 0, 256
	REQUEST 6, -EINVAL
	ARGUMENT 0, 0x100000040
	REQUEST 6, -EINVAL
	ARGUMENT 0, 255
	ARGUMENT 1, 0xffffffffffffffff
	REQUEST 6, 0
	sti
	hlt
	EXIT 0
