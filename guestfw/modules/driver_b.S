/* SPDX-License-Identifier: MIT */
#include "call.inc"

	DRIVER driver_b, VIEW_B

	.section .note.GNU-stack, "", @progbits
