/* SPDX-License-Identifier: GPL-2.0-only */
/* An exception without a table to look for its handler in. */
#include "guest.inc"
	ud2
