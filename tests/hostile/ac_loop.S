/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * #AC delivered at CPL 3 to a stack that is itself misaligned: on real processors delivery raises #AC
 * again, without end (CVE-2015-5307). 64-bit delivery aligns the stack, so this leaves long mode.
 */
#include "guest.inc"

#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_AM 0x40000
#define CR0_PE_ET 0x11
#define CODE32 0x08
#define DATA32 0x10
#define USER_CODE32 0x1b
#define USER_DATA32 0x23
#define VECTOR_AC 17
#define RFLAGS_AC 0x40000

	lgdt gdt_pointer
	push $CODE32
	push $compatible
	lretq
	.code32
compatible:
	mov $(CR0_PE_ET | CR0_AM), %eax
	mov %eax, %cr0
	mov $MSR_EFER, %ecx
	rdmsr
	and $~EFER_LME, %eax
	wrmsr
	mov $DATA32, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $stack_top, %esp
	mov $user, %eax
	mov %ax, idt + 8 * VECTOR_AC
	movw $USER_CODE32, idt + 8 * VECTOR_AC + 2
	movw $0xee00, idt + 8 * VECTOR_AC + 4
	shr $16, %eax
	mov %ax, idt + 8 * VECTOR_AC + 6
	lidt idt_pointer
	push $USER_DATA32
	push $stack_top - 1
	push $RFLAGS_AC | 2
	push $USER_CODE32
	push $user
	iret
user:
	push %eax
	jmp user

	.section .data
	.p2align 3
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
	.quad 0x00cffb000000ffff, 0x00cff3000000ffff
gdt_pointer:
	.word . - gdt - 1
	.quad gdt
	.p2align 3
idt:	.fill 8 * 32, 1, 0
idt_pointer:
	.word 8 * 32 - 1
	.long idt
	.p2align 4
	.fill 512, 1, 0
stack_top:
