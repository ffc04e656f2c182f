/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where #VMEXIT resumes L1: the first one here, by the RIP that the VMM has put into L1's saved state,
 * the others behind VMRUN. RAX is in the control structure. FS, GS, LDTR, TR and the state of SYSCALL
 * and SYSENTER belong to the guest all the time: VMRUN and #VMEXIT leave them alone (AMD APM vol. 2,
 * 15.5.1), and nothing here uses them, so there is no VMLOAD or VMSAVE but where another guest comes to
 * run. #VMEXIT has cleared GIF, and VMRUN sets it.
 */
#include "entry.inc"

	.section .text.start, "ax"
	.globl relay_entry
relay_entry:
	SAVE_REGISTERS
	call relay_svm_exit
	mov %rax, %rbx	/* the VM pointer: whose registers come next */
	.globl relay_resume
relay_resume:
	LOAD_REGISTERS
	mov (%rsp), %rax	/* `control`, which follows the registers */
	vmrun %rax
	jmp relay_entry
	TAKE_NMIS
	.section .note.GNU-stack, "", @progbits
