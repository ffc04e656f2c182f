/* SPDX-License-Identifier: GPL-2.0-only */
/* host_rip: where the processor continues after an exit of the nested guest. */
#include "entry.inc"

	.section .text.start, "ax"
	.globl relay_entry
relay_entry:
	SAVE_REGISTERS
	call relay_vmx_exit
	mov %rax, %rbx	/* the VM pointer: whose registers come next */
	.globl relay_resume
relay_resume:
	LOAD_REGISTERS
	vmresume
	/* Still here: the entry failed. The control structure says why. */
	lea -128(%rsp), %rdi
	lea RELAY_STACK_TOP(%rdi), %rsp
	call relay_vmx_resume_failed
1:	cli
	hlt
	jmp 1b
	TAKE_NMIS
	.section .note.GNU-stack, "", @progbits
