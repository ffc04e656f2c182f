/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What instructions leave behind that somebody else than the processor carries out: where the guest
 * goes on, the trap of TF, RF, the end of the shadow of STI and MOV SS, and flags of its registers that
 * the guest keeps. Ends with the number of the first check that fails, in the order of the source; 0:
 * none.
 */
#include "guest.inc"
#include "gate.inc"

#define CONTEXT_WINDOW 40
#define CONTEXT_FLAGS 56
#define REQUEST_RAISE 12
#define HYPERCALL_NULL 0x53530000
#define HYPERCALL_NULL_VMM 0x53530003
#define VECTOR 0x60
#define TF 0x100
#define RF 0x10000
#define DR6_INIT 0xffff0ff0
#define DR6_BS 0x4000
#define TS 8
#define NE 0x20
#define NW 0x20000000
#define CR4_OSXSAVE 0x40000
#define XSAVE 26
#define OSXSAVE 27

	.section .bss
	.p2align 4
idt:	.fill 256 * 16, 1, 0
	.section .data
	.p2align 3
idt_descriptor:
	.word 256 * 16 - 1
	.quad idt
	.p2align 3
flags:	.quad 0
window:	.quad 0
resume:	.quad 0
event_vector: .quad 0	/* of the first event since it was 0 */
event_rip: .quad 0
event_flags: .quad 0
event_dr6: .quad 0
	.set number, 0
	.section .text.start

.macro CHECK condition
	.set number, number + 1
	j\condition 8f
	EXIT number
8:
.endm

.macro EVENT vector, rip
	cmpq $\vector, event_vector
	CHECK e
	cmpq $\rip, event_rip
	CHECK e
.endm

.macro SET_TF
	movq $0, event_vector
	pushfq
	orl $TF, (%rsp)
	popfq
.endm

.macro TRAPPED at
	EVENT 1, \at
	testl $DR6_BS, event_dr6
	CHECK nz
	testl $RF, event_flags
	CHECK z
.endm

/* The trap comes behind the instruction. */
.macro TRAPS insn:vararg
	SET_TF
	\insn
7:	nop
	nop
	TRAPPED 7b
.endm

/* The shadow of MOV SS holds the trap back from the instruction behind it, but no longer. KVM's
 * interpreter, which the engine flat may have, knows no such shadow. */
.macro TRAPS_LATER insn:vararg
	mov %ss, %esi
	SET_TF
	mov %esi, %ss
	\insn
7:	nop
	nop
	TRAPPED 7b
.endm

/* An interrupt that is pending comes behind the instruction behind STI. */
.macro INTERRUPTED function, insn:vararg
	ARGUMENT 0, VECTOR
	REQUEST REQUEST_RAISE, 0
	movq $0, event_vector
	mov $\function, %eax
	mov $512, %ecx
	sti
	\insn
7:	nop
	cli
	EVENT VECTOR, 7b
.endm

/* The instruction faults, at itself. */
.macro FAULTS vector, insn:vararg
	movq $0, event_vector
	movq $6f, resume
7:	\insn
6:	EVENT \vector, 7b
.endm

/* And with RF, which the emulated AMD processor does not push with a fault that it raises by itself. */
.macro CHECK_RF
	testl $RF, event_flags
	CHECK nz
.endm

/* The bytes are one instruction: the next one sees all of its own. */
.macro GOES_ON bytes:vararg
	movq $0, event_vector
	xor %eax, %eax
	xor %ecx, %ecx
	.byte \bytes
	mov $0x5a5a5a5a, %eax
	cmp $0x5a5a5a5a, %eax
	CHECK e
	cmpq $0, event_vector
	CHECK e
.endm

/* A hypercall that the monitor answers, and one that the VMM does. */
.macro ON_HYPERCALLS macro
	testl $SS_CONTEXT_VMMCALL, flags
	jnz 5f
	mov $HYPERCALL_NULL, %eax
	\macro vmcall
	mov $HYPERCALL_NULL_VMM, %eax
	\macro vmcall
	jmp 4f
5:	mov $HYPERCALL_NULL, %eax
	\macro vmmcall
	mov $HYPERCALL_NULL_VMM, %eax
	\macro vmmcall
4:
.endm

	mov CONTEXT_FLAGS(%rdi), %eax
	mov %rax, flags
	mov CONTEXT_WINDOW(%rdi), %rax
	mov %rax, window
	GATE 1, on_debug
	GATE 6, on_undefined
	GATE 13, on_protection
	GATE 14, on_page
	GATE VECTOR, on_interrupt
	lidt idt_descriptor

	xor %eax, %eax
	TRAPS cpuid
	mov %cr0, %rax
	xor $TS, %rax
	TRAPS mov %rax, %cr0
	xor $TS, %rax
	TRAPS mov %rax, %cr0
	TRAPS clts
	smsw %rax
	xor $2, %rax
	TRAPS lmsw %ax
	xor $2, %rax
	TRAPS lmsw %ax
	TRAPS smsw %rax
	TRAPS mov %cr0, %rax
	TRAPS out %al, $0x80
	TRAPS in $0x80, %al
	TRAPS fwait
	/* VMFUNC to the view that is active, and with an index that is refused. */
	xor %eax, %eax
	xor %ecx, %ecx
	TRAPS vmfunc
	xor %eax, %eax
	mov $512, %ecx
	TRAPS vmfunc
	/* A device. It is touched before: the emulated Intel processor also traps an access that L0
	 * repeats. */
	mov $SS_MMIO_GPA, %edi
	mov (%rdi), %rax
	TRAPS mov (%rdi), %rax
	TRAPS mov %rax, (%rdi)
	/* What view 2 hides and view 1 lets nobody write. */
	mov window, %rdi
	mov 4096(%rdi), %rax
	mov 8192(%rdi), %rax
	xor %eax, %eax
	mov $2, %ecx
	vmfunc
	TRAPS mov 8192(%rdi), %rax
	xor %eax, %eax
	TRAPS mov %rax, 4096(%rdi)
	xor %eax, %eax
	xor %ecx, %ecx
	vmfunc

	GOES_ON 0x0f, 0xa2
	GOES_ON 0x48, 0x0f, 0xa2
	GOES_ON 0x2e, 0x0f, 0xa2
	GOES_ON 0x66, 0x0f, 0xa2
	GOES_ON 0x67, 0x0f, 0xa2
	GOES_ON 0xf3, 0x0f, 0xa2
	GOES_ON 0x2e, 0x67, 0x66, 0x2e, 0x65, 0x4f, 0x0f, 0xa2
	mov $64, %eax
	FAULTS 6, vmfunc
	CHECK_RF
	mov %cr0, %rax
	or $NW, %rax
	FAULTS 13, mov %rax, %cr0
	CHECK_RF

	testl $SS_CONTEXT_MONITOR, flags
	jz everywhere
	/* Prefixes that KVM's interpreter does not take in its place. */
	GOES_ON 0x2e, 0x0f, 0x01, 0xd4
	GOES_ON 0x67, 0x48, 0x0f, 0x01, 0xd4
	xor %eax, %eax
	TRAPS_LATER cpuid
	mov %cr0, %rax
	xor $TS, %rax
	TRAPS_LATER mov %rax, %cr0
	clts
	xor %eax, %eax
	mov $512, %ecx
	TRAPS_LATER vmfunc
	ON_HYPERCALLS TRAPS
	ON_HYPERCALLS TRAPS_LATER
	INTERRUPTED 0, nop
	INTERRUPTED 0, cpuid
	INTERRUPTED 0, vmfunc
	mov %cr0, %rsi
	xor $TS, %rsi
	INTERRUPTED 0, mov %rsi, %cr0
	clts
	testl $SS_CONTEXT_VMMCALL, flags
	jnz on_svm
	INTERRUPTED HYPERCALL_NULL, vmcall
	INTERRUPTED HYPERCALL_NULL_VMM, vmcall
	/* VMX fixes NE (Intel SDM vol. 3D, A.7), whatever is masked beside it. */
	mov %cr0, %rax
	and $~NE, %eax
	or $TS, %eax
	FAULTS 13, mov %rax, %cr0
	CHECK_RF
	mov %cr0, %rax
	test $NE, %al
	CHECK nz
	jmp everywhere
on_svm:
	INTERRUPTED HYPERCALL_NULL, vmmcall
	INTERRUPTED HYPERCALL_NULL_VMM, vmmcall
	/* SVM fixes nothing. */
	mov %cr0, %rax
	and $~NE, %eax
	mov %rax, %cr0
	mov %cr0, %rax
	test $NE, %al
	CHECK z
	or $NE, %eax
	mov %rax, %cr0

everywhere:
	mov $0x700, %eax
	mov %rax, %dr7
	xor %eax, %eax
	cpuid
	mov %dr7, %rax
	cmp $0x700, %eax
	CHECK e
	mov $0x400, %eax
	mov %rax, %dr7

	mov $1, %eax
	cpuid
	bt $OSXSAVE, %ecx
	CHECK nc
	bt $XSAVE, %ecx
	jnc end
	mov %cr4, %rax
	or $CR4_OSXSAVE, %eax
	mov %rax, %cr4
	mov $1, %eax
	cpuid
	bt $OSXSAVE, %ecx
	CHECK c
	movq $0, event_vector
	xor %ecx, %ecx
	xor %edx, %edx
	mov $1, %eax
	xsetbv
	cmpq $0, event_vector
	CHECK e
	testl $SS_CONTEXT_MONITOR, flags
	jz no_xgetbv	/* KVM's interpreter does not know it */
	xgetbv
	cmp $1, %eax
	CHECK e
no_xgetbv:
	xor %ecx, %ecx
	xor %eax, %eax
	FAULTS 13, xsetbv
	mov %cr4, %rax
	and $~CR4_OSXSAVE, %eax
	mov %rax, %cr4
	mov $1, %eax
	cpuid
	bt $OSXSAVE, %ecx
	CHECK nc
end:	EXIT 0

/* What happened is noted unless something was before; TF is over. RAX is pushed. */
.macro NOTE vector
	cmpq $0, event_vector
	jne 1f
	movq $\vector, event_vector
	mov 8(%rsp), %rax
	mov %rax, event_rip
	mov 24(%rsp), %rax
	mov %rax, event_flags
	mov %dr6, %rax
	mov %rax, event_dr6
1:	mov $DR6_INIT, %eax
	mov %rax, %dr6
	andl $~TF, 24(%rsp)
.endm

on_debug:
	push %rax
	NOTE 1
	pop %rax
	iretq
on_interrupt:
	push %rax
	NOTE VECTOR
	pop %rax
	iretq
on_protection:
	add $8, %rsp
	push %rax
	NOTE 13
	jmp 1f
on_page:
	add $8, %rsp
	push %rax
	NOTE 14
	jmp 1f
on_undefined:
	push %rax
	NOTE 6
1:	cmpq $0, resume
	jne 2f
	EXIT 255
2:	mov resume, %rax
	mov %rax, 8(%rsp)
	movq $0, resume
	pop %rax
	iretq
