/* SPDX-License-Identifier: GPL-2.0-only */
/* host_rip: where the processor continues after an exit of the nested guest. host_rsp points behind
 * `regs` of this vCPU's struct relay_vcpu, so that pushing stores the registers in their order. */
#include "relay.h"

	.section .text.start, "ax"
	.globl relay_vmx_entry
relay_vmx_entry:
	push %r15
	push %r14
	push %r13
	push %r12
	push %r11
	push %r10
	push %r9
	push %r8
	push %rdi
	push %rsi
	push %rbp
	push %rbp	/* place of RSP, which is in the control structure */
	push %rbx
	push %rdx
	push %rcx
	push %rax
	mov %rsp, %rbx
	mov %rsp, %rdi
	lea RELAY_VCPU_STRIDE(%rsp), %rsp
	call relay_vmx_exit
	mov %rbx, %rsp
	pop %rax
	pop %rcx
	pop %rdx
	pop %rbx
	pop %rbp	/* RSP's place */
	pop %rbp
	pop %rsi
	pop %rdi
	pop %r8
	pop %r9
	pop %r10
	pop %r11
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	vmresume
	/* Still here: the entry failed. The control structure says why. */
	lea -128(%rsp), %rdi
	lea RELAY_VCPU_STRIDE(%rdi), %rsp
	call relay_vmx_resume_failed
1:	cli
	hlt
	jmp 1b
	.section .note.GNU-stack, "", @progbits
