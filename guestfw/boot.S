/* SPDX-License-Identifier: MIT */
/* Entry point. The VMM has put the vCPU into 64-bit mode (abi.h). */
	.text
	.globl _start
_start:
	cld
	call firmware_main
	/* A vCPU with nothing left to do: HLT with interrupts off parks it for good. */
9:	cli
	hlt
	jmp 9b

	.section .note.GNU-stack, "", @progbits
