/* SPDX-License-Identifier: GPL-2.0-only */
/* Ends with a status of its own. */
#include "guest.inc"
	EXIT 7
