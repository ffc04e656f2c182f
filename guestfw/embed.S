/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata
	.p2align 12
	.globl firmware_start, firmware_end
firmware_start:
	.incbin FIRMWARE
firmware_end:
	.section .note.GNU-stack, "", @progbits
