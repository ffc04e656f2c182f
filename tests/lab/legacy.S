/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that leaves long mode: 32-bit code without paging, with PAE tables and with tables of 32 bits. In
 * each it loads from a page that the active view hides, and switches between views by VMFUNC where that
 * works. Whoever steps in finds the instruction and its operand. The exit status is the number of the
 * check that failed; 0 if none has, also where long mode cannot be left (VMX without "unrestricted guest").
 * Not for a KVM that interprets CPL 0: without paging it takes seconds for an instruction.
 */
#include "violation.inc"

#define SEL_CODE32 0x18
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define CR4_PSE 0x10
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define LARGE 0x83
#define VECTOR_UD 6
#define VECTOR_GP 13

/* EDX is 0, or the vector that the instruction raised. */
.macro TRY number, insn:vararg
	movl $\number, number
	mov $5f, %ebp
	xor %edx, %edx
	\insn
5:
.endm

.macro FAIL_IF condition
	j\condition failed
.endm

/* The hidden page, at EBX; and the same by the view that shows it, if VMFUNC works. */
.macro CHECK_VIEWS number
	mov $0x12345678, %eax
	TRY \number, mov (%ebx), %eax
	test %edx, %edx
	jnz 1f
	cmp $-1, %eax
	FAIL_IF ne
1:	xor %eax, %eax
	xor %ecx, %ecx
	TRY \number + 1, vmfunc
	test %edx, %edx
	jz 2f
	testl $SS_CONTEXT_MONITOR, flags
	FAIL_IF nz
	jmp 3f
2:	TRY \number + 2, mov (%ebx), %eax
	test %edx, %edx
	FAIL_IF nz
	cmp shown, %eax
	FAIL_IF ne
	xor %eax, %eax
	mov $2, %ecx
	TRY \number + 3, vmfunc
	test %edx, %edx
	FAIL_IF nz
	TRY \number + 4, mov (%ebx), %eax
	test %edx, %edx
	jnz 3f
	cmp $-1, %eax
	FAIL_IF ne
3:
.endm

.macro SET_PAGING on
	mov %cr0, %eax
	.if \on
	or $CR0_PG, %eax
	.else
	and $~CR0_PG, %eax
	.endif
	mov %eax, %cr0
.endm

.macro SET_EFER or, and
	mov $MSR_EFER, %ecx
	rdmsr
	or $\or, %eax
	and $\and, %eax
	wrmsr
.endm

/* A gate of 32 bits. */
.macro GATE32 vector, handler
	mov $\handler, %eax
	mov %ax, idt32 + 8 * \vector
	movw $SEL_CODE32, idt32 + 8 * \vector + 2
	movw $0x8e00, idt32 + 8 * \vector + 4
	shr $16, %eax
	mov %ax, idt32 + 8 * \vector + 6
.endm

	mov %rdi, context
	GATE VECTOR_GP, general64
	lidt idt_descriptor
	lgdt new_gdt
	mov context, %rax
	mov CONTEXT_FLAGS(%rax), %ecx
	mov %ecx, flags
	mov CONTEXT_WINDOW(%rax), %rbx
	add $2 * PAGE, %rbx
	mov (%rbx), %eax
	mov %eax, shown
	ENTER_VIEW 2
	mov $SS_SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	movl $code32, pointer
	lcall *pointer
	/* Long mode is as it was. */
	cmp $SS_CR0_BASE, %eax
	jne 1f
	EXIT 0
1:	EXIT 90

	.code32
code32:
	TRY 1, call leave_paging
	cmp $VECTOR_GP, %edx
	je stayed
	SET_EFER 0, ~EFER_LME
	GATE32 VECTOR_UD, on_undefined
	GATE32 VECTOR_GP, on_general
	GATE32 VECTOR_PF, on_page_fault
	lidt idt32_descriptor
	CHECK_VIEWS 10
	/* PAE: 16 MiB one to one. */
	mov $pae, %edi
	mov $LARGE, %eax
	mov $8, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 1b
	mov $pae + 1, %eax
	mov %eax, pdpt
	mov %cr3, %eax
	mov %eax, cr3
	mov $pdpt, %eax
	mov %eax, %cr3
	SET_PAGING 1
	CHECK_VIEWS 20
	SET_PAGING 0
	/* 32 bits: the same in pages of 4 MiB. */
	mov $pae, %edi
	mov $LARGE, %eax
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $4, %edi
	add $0x400000, %eax
	loop 1b
	mov %cr4, %eax
	and $~CR4_PAE, %eax
	or $CR4_PSE, %eax
	mov %eax, %cr4
	mov $pae, %eax
	mov %eax, %cr3
	SET_PAGING 1
	CHECK_VIEWS 30
	SET_PAGING 0
	mov %cr4, %eax
	and $~CR4_PSE, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov cr3, %eax
	mov %eax, %cr3
	SET_EFER EFER_LME, ~0
	SET_PAGING 1
stayed:	mov %cr0, %eax
	lret

leave_paging:
	SET_PAGING 0
	ret

failed:	mov number, %eax
	out %al, $SS_PORT_EXIT

/* The frame is dropped: KVM's interpreter has no IRET outside 64-bit mode. */
on_page_fault:
	mov %cr2, %edx
	cmp %ebx, %edx
	FAIL_IF ne
	mov $VECTOR_PF, %edx
	jmp 1f
on_general:
	mov $VECTOR_GP, %edx
1:	add $4, %esp
	jmp 2f
on_undefined:
	mov $VECTOR_UD, %edx
2:	add $12, %esp
	jmp *%ebp

	.code64
general64:
	add $8, %rsp
	mov %rbp, (%rsp)
	addq $4, 24(%rsp)	/* the call of what has faulted */
	mov $VECTOR_GP, %edx
	iretq
	FAULT_HANDLER

	.section .data
	.p2align 3
number:	.long 0
shown:	.long 0
flags:	.long 0
cr3:	.long 0
pointer:
	.long 0
	.word SEL_CODE32
new_gdt:
	.word 4 * 8 - 1
	.quad gdt
idt32_descriptor:
	.word 32 * 8 - 1
	.long idt32
	.p2align 3
gdt:	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00cf9b000000ffff
	.section .bss
	.p2align 12
pae:	.fill 4096, 1, 0
	.p2align 5
pdpt:	.fill 32, 1, 0
idt32:	.fill 32 * 8, 1, 0
