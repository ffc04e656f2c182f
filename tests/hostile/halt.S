/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing can wake it. */
#include "guest.inc"
	cli
	hlt
