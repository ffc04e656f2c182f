/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts are on, but nobody sends one. */
#include "guest.inc"
	sti
	hlt
