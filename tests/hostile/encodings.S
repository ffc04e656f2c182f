/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CR0, EFER, VMFUNC, WAIT and an undefined instruction in every encoding and operand, checked against what the
 * guest must see whoever steps in. The exit status is the number of the check that failed, 0 if none has.
 */
#include "guest.inc"

#define TS 8
#define MP 2
#define BASE SS_CR0_BASE
#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100
#define NXE 0x800
#define UD 6
#define NM 7
#define GP 13
#define PF 14
#define CR0_NW 0x20000000

.macro FAIL number
	mov $\number, %al
	out %al, $SS_PORT_EXIT
	hlt
.endm

/* Ends with a number unless a register has the value. */
.macro EXPECT number, reg, value
	movabs $\value, %rbp
	cmp %rbp, \reg
	je 1f
	FAIL \number
1:
.endm

/* The instruction raises a vector; CR2 and the error code of a page fault are in r12 and r13. */
.macro FAULTS number, vector, insn:vararg
	movq $0, %r11
	movabs $2f, %r14
	\insn
2:	cmp $\vector, %r11
	je 1f
	FAIL \number
1:
.endm

/* The instruction raises the vector in r15, or none if that is 0. Expects RAX and RCX to be 0, and
 * leaves them so. */
.macro PREFIXED number, insn, bytes:vararg
	xor %r11d, %r11d
	movabs $2f, %r14
	.byte \bytes
	\insn
2:	cmp %r15, %r11
	jne 3f
	test %rax, %rax
	jz 1f
3:	FAIL \number
1:
.endm

#include "tests/hostile/gate.inc"

	mov CONTEXT_VCPU_PAGES(%rdi), %rax
	mov PAGE_CR0_OWNED(%rax), %rax
	mov %rax, owned
	GATE UD, undefined
	GATE NM, no_device
	GATE GP, protected
	GATE PF, page_fault
	lidt idt_pointer

	/* General registers that need a REX prefix, and RSP, which the stack is. */
	mov %cr0, %r15
	EXPECT 1, %r15, BASE
	xor $TS, %r15
	mov %r15, %cr0
	mov %cr0, %r8
	EXPECT 2, %r8, BASE | TS
	mov %rsp, %rbx
	mov %cr0, %rsp
	xor $(TS | MP), %rsp
	mov %rsp, %cr0
	mov %rsp, %rcx
	mov %rbx, %rsp
	EXPECT 3, %rcx, BASE | MP
	mov %cr0, %rax
	EXPECT 4, %rax, BASE | MP

	/* Prefixes that change nothing. */
	xor $TS, %rax
	.byte 0x66, 0x2e, 0x48, 0x0f, 0x22, 0xc0	/* mov %rax, %cr0 */
	.byte 0x67, 0x64, 0x0f, 0x20, 0xc1		/* mov %cr0, %rcx */
	EXPECT 5, %rcx, BASE | TS | MP
	.byte 0x3e, 0x4f, 0x0f, 0x06			/* clts */
	mov %cr0, %rdx
	EXPECT 6, %rdx, BASE | MP
	/* The mode field of MOV CR0 is ignored. */
	.byte 0x0f, 0x20, 0x07				/* mov %cr0, %rdi */
	EXPECT 7, %rdi, BASE | MP

	/* Nothing changes. */
	mov %rdi, %cr0
	mov %cr0, %rax
	EXPECT 8, %rax, BASE | MP

	/* What CR0 cannot be: NW without CD, no paging in 64-bit mode. */
	mov $(BASE | CR0_NW), %ebx
	FAULTS 27, GP, mov %rbx, %cr0
	mov $(BASE & 0x7fffffff), %ebx
	FAULTS 28, GP, mov %rbx, %cr0
	mov %cr0, %rax
	EXPECT 29, %rax, BASE | MP

	/* LMSW and SMSW with registers. PE cannot be cleared. */
	mov $TS, %r9d
	lmsw %r9w
	movabs $-1, %r10
	smsw %r10w
	EXPECT 9, %r10, 0xffffffffffff0000 | (BASE & 0xffff) | TS
	movabs $-1, %r10
	smsw %r10d
	and $0xffff, %r10d
	EXPECT 10, %r10, (BASE & 0xffff) | TS
	movabs $-1, %rcx
	smsw %rcx
	movzx %cx, %rcx
	EXPECT 11, %rcx, (BASE & 0xffff) | TS

	/* With memory: by RIP, base and index, and the base of FS. */
	movw $MP, word
	lmsw word(%rip)
	mov %cr0, %rax
	EXPECT 12, %rax, BASE | MP
	mov $word, %ebx
	mov $-2, %rsi
	movw $(TS | MP), -4(%rbx)
	lmsw (%rbx, %rsi, 2)
	smsw 4(%rbx)
	movzwl 4(%rbx), %eax
	EXPECT 13, %rax, (BASE & 0xffff) | TS | MP
	mov $MSR_FS_BASE, %ecx
	mov %ebx, %eax
	xor %edx, %edx
	wrmsr
	smsw %fs:8
	movzwl 8(%rbx), %eax
	EXPECT 14, %rax, (BASE & 0xffff) | TS | MP
	clts
	mov %cr0, %rax
	EXPECT 15, %rax, BASE | MP

	/* An operand on page 0, which is absent. */
	FAULTS 16, PF, lmsw 0x10
	EXPECT 17, %r12, 0x10
	EXPECT 18, %r13, 0
	FAULTS 19, PF, smsw 0x20
	EXPECT 20, %r12, 0x20
	EXPECT 21, %r13, 2

	/* EFER: what an engine sets there does not show, and what the guest sets does. */
	mov $MSR_EFER, %ecx
	rdmsr
	EXPECT 22, %rax, 0x500
	or $NXE, %eax
	wrmsr
	xor %eax, %eax
	rdmsr
	EXPECT 23, %rax, 0x500 | NXE

	/* An undefined instruction, with registers as VMFUNC would want them. */
	xor %eax, %eax
	xor %ecx, %ecx
	FAULTS 24, UD, ud2

	/* VMFUNC with prefixes that change nothing ends as it does without, be it #UD; behind a step of a wrong
	 * length stands no instruction of 64-bit mode. */
	movabs $plain, %r14
	xor %r11d, %r11d
	vmfunc
plain:	mov %r11, %r15
	PREFIXED 30, vmfunc, 0x48
	PREFIXED 31, vmfunc, 0x2e
	PREFIXED 32, vmfunc, 0x67
	PREFIXED 33, vmfunc, 0x64, 0x67, 0x4f
	xor %r15d, %r15d
	PREFIXED 34, fwait, 0x48
	PREFIXED 35, fwait, 0x66
	PREFIXED 36, fwait, 0x67
	PREFIXED 37, fwait, 0xf2, 0x2e, 0x41
	/* #NM is for those whose register has both flags. */
	mov owned, %eax
	not %eax
	test $(TS | MP), %eax
	jnz kept
	mov %cr0, %rdx
	mov $(BASE | TS | MP), %eax
	mov %rax, %cr0
	FAULTS 38, NM, .byte 0x67, 0x48, 0x9b		/* fwait */
	mov %rdx, %cr0
kept:

	/* Code that lies on two pages. */
	jmp crossing
crossed:
	EXPECT 25, %r8, BASE | MP
	EXPECT 26, %rax, BASE | TS
	EXIT 0

no_device:
	mov $NM, %r11d
	mov %r14, (%rsp)
	iretq
undefined:
	mov $UD, %r11d
	mov %r14, (%rsp)
	iretq
protected:
	mov $GP, %r11d
	pop %r13
	mov %r14, (%rsp)
	iretq
page_fault:
	mov $PF, %r11d
	mov %cr2, %r12
	pop %r13
	mov %r14, (%rsp)
	iretq

	.p2align 12
	.fill 4094, 1, 0x90
	.byte 0x41		/* MOV CR0 to r8: two bytes here, two on the next page */
crossing_middle:
	.byte 0x0f, 0x20, 0xc0
	.fill 4090, 1, 0x90
	mov $(BASE | TS), %eax
	mov %rax, %cr0
	mov %cr0, %rax
	jmp crossed
	.set crossing, crossing_middle - 16

	.section .data
	.p2align 4
	.fill 4, 2, 0
word:
	.fill 16, 2, 0
owned:	.quad 0
idt_pointer:
	.word 16 * 32 - 1
	.quad idt
	.p2align 4
idt:
	.fill 16 * 32, 1, 0
	.section .text.start
