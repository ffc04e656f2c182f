/* SPDX-License-Identifier: GPL-2.0-only */
#include "guestfw/relay/entry.inc"

/* The first entry: registers are those of the vCPU's memory, all else is in its VMCS. Comes back only if it fails. */
	.text
	.globl bare_vmx_launch
bare_vmx_launch:
	push %rbx
	push %rbp
	mov %rsp, (RELAY_VCPU_STRIDE - 8)(%rdi)	/* below is the stack */
	mov %rdi, %rbx
	LOAD_REGISTERS
	vmlaunch
	mov (RELAY_VCPU_STRIDE - 8 - 128)(%rsp), %rsp
	pop %rbp
	pop %rbx
	ret
	.section .note.GNU-stack, "", @progbits
