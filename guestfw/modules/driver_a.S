/* SPDX-License-Identifier: MIT */
#include "call.inc"

	DRIVER driver_a, VIEW_A

	.section .note.GNU-stack, "", @progbits
