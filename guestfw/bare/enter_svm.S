/* SPDX-License-Identifier: GPL-2.0-only */
#include "guestfw/relay/entry.inc"

/* The first entry: registers are those of the vCPU's memory, all else is in its VMCB or has been loaded by VMLOAD. Exits go
 * on as those after the relay's own VMRUN do. */
	.text
	.globl bare_svm_launch
bare_svm_launch:
	mov %rdi, %rbx
	LOAD_REGISTERS
	mov (%rsp), %rax	/* `control`, which follows the registers */
	vmrun %rax
	jmp relay_entry
	.section .note.GNU-stack, "", @progbits
