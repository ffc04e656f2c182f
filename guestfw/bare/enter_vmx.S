/* SPDX-License-Identifier: GPL-2.0-only */
#include "guestfw/relay/entry.inc"

/* As the relay goes back to a guest, to one that was never entered. */
	.text
	.globl bare_vmx_launch
bare_vmx_launch:
	mov %rdi, %rbx
	LOAD_REGISTERS
	vmlaunch
	lea -128(%rsp), %rdi
	lea RELAY_STACK_TOP(%rdi), %rsp
	call relay_vmx_resume_failed
	.section .note.GNU-stack, "", @progbits
