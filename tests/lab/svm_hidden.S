/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For `sidestep run --engine svm`: the guest must find no SVM, though its processor has it enabled. Its
 * CPUID bit, EFER.SVME, the MSRs and the instructions, with and without an address of the monitor in
 * RAX. The exit status is the number of the check that failed, 0 if none has.
 */
#include "guestfw/relay/relay.h"
#include "tests/hostile/guest.inc"

#define MSR_EFER 0xc0000080
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117
#define SVME 0x1000
#define CPUID_SVM 4
#define MONITOR (RELAY_CONTROL + 0x1000)
#define UD 6
#define GP 13

.macro FAIL number
	mov $\number, %al
	out %al, $SS_PORT_EXIT
	hlt
.endm

.macro FAULTS number, vector, insn:vararg
	xor %r11d, %r11d
	mov $2f, %r14d
	\insn
2:	cmp $\vector, %r11d
	je 1f
	FAIL \number
1:
.endm

#include "tests/hostile/gate.inc"

	GATE UD, undefined
	GATE GP, protected
	lidt idt_pointer

	mov $0x80000001, %eax
	cpuid
	test $CPUID_SVM, %ecx
	jz 1f
	FAIL 1
1:	mov $MSR_EFER, %ecx
	rdmsr
	test $SVME, %eax
	jz 1f
	FAIL 2
1:	or $SVME, %eax
	FAULTS 3, GP, wrmsr
	/* Long mode cannot be left so. */
	rdmsr
	and $~0x100, %eax
	FAULTS 4, GP, wrmsr
	mov $MSR_VM_CR, %ecx
	FAULTS 5, GP, rdmsr
	xor %eax, %eax
	FAULTS 6, GP, wrmsr
	mov $MSR_VM_HSAVE_PA, %ecx
	FAULTS 7, GP, rdmsr
	xor %eax, %eax
	FAULTS 8, GP, wrmsr

	mov $2, %ebp
	mov $0x5000, %ebx
again:	mov %rbx, %rax
	FAULTS 9, UD, vmrun %rax
	FAULTS 10, UD, vmload %rax
	FAULTS 11, UD, vmsave %rax
	FAULTS 12, UD, stgi
	FAULTS 13, UD, clgi
	xor %ecx, %ecx
	FAULTS 14, UD, invlpga %rax, %ecx
	mov %ebx, %eax
	FAULTS 15, UD, skinit %eax
	FAULTS 16, UD, vmcall
	mov $MONITOR, %ebx
	dec %ebp
	jnz again

	/* A hypercall that nobody knows, and the relay's port without its memory. */
	mov $0x12345678, %eax
	vmmcall
	cmp $-ENOSYS, %rax
	je 1f
	FAIL 17
1:	mov $0x5f0, %edx
	out %al, %dx
	EXIT 0

undefined:
	mov $UD, %r11d
	mov %r14, (%rsp)
	iretq
protected:
	mov $GP, %r11d
	pop %r13
	mov %r14, (%rsp)
	iretq

	.section .data
	.p2align 4
idt_pointer:
	.word 16 * 32 - 1
	.quad idt
	.p2align 4
idt:
	.fill 16 * 32, 1, 0
	.section .text.start
