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
	lea RELAY_VCPU_STRIDE(%rdi), %rsp
	call bare_vmx_refused
	.section .note.GNU-stack, "", @progbits
