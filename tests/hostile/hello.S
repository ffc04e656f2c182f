/* SPDX-License-Identifier: GPL-2.0-only */
/* Another version of the interface. */
#include "guest.inc"
	ARGUMENT 0, SS_ABI_VERSION + 1
	REQUEST 1, -93	/* -EPROTONOSUPPORT */
	ARGUMENT 0, 0xffffffffffffffff
	REQUEST 1, -93
	ARGUMENT 0, SS_ABI_VERSION
	REQUEST 1, 0
	EXIT 0
