/* SPDX-License-Identifier: GPL-2.0-only */
/* Says that it failed, with numbers that mean nothing. */
#include "guest.inc"
	ARGUMENT 0, 0xffffffffffffffff
	ARGUMENT 1, 0xffffffffffffffff
	ARGUMENT 2, 0xffffffffffffffff
	ARGUMENT 3, 0xffffffffffffffff
	REQUEST 7, 0
	EXIT 0
