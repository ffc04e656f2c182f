/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * INS and OUTS where memory does not simply go on: over boundaries of pages, in addresses of 32 and 16 bits, through
 * segments with a base, and into what the page tables or, with --on-violation inject, the active view forbid. What was
 * moved until then has been moved, and nothing else. The exit status is the number of the check that failed, 0 if none
 * has.
 */
#include "violation.inc"

#define AREA 0x600000 /* 2 MiB in pages of 4 KiB, by a table of its own */
#define AREA_PD_ENTRY 3
#define READ_ONLY 0x605000 /* these pages of it */
#define SUPERVISOR 0x607000
#define ABSENT 0x609000
#define FRESH 0x60b000
#define ENTRY(page) (table + ((page) - AREA) / PAGE * 8)
#define PTE_ALL 0x67 /* present, writable, for users; accessed and dirty */
#define PTE_FRESH 0x07
#define PF_USER 4
#define CR0_WP 0x10000
#define RFLAGS_IOPL3 0x3002
#define MSR_FS_BASE 0xc0000100
#define FILL 0x11
#define HELLO 1
#define VECTOR_GP 13
#define VECTOR_BACK 0x1f
#define GATE_USER 0xee
#define SEL_CODE32 0x38
#define SEL_BASE 0x40
#define UPPER 0x1234567800000000

.macro UNLESS condition, number
	j\condition 7f
	EXIT \number
7:
.endm

.macro IS reg, value, number
	movabs $\value, %r8
	cmp %r8, \reg
	UNLESS e, \number
.endm

/* Nothing but FILL from `from` to the start of what was moved and behind it, where all ones are. */
.macro MOVED from, start, end, to, number
	mov $\number, %r9d
	mov $\from, %edi
	mov $(\start - \from), %ecx
	mov $(\end - \start), %edx
	mov $(\to - \end), %esi
	call moved
.endm

.macro CLEAN
	mov $AREA, %edi
	mov $4 * PAGE, %ecx
	mov $FILL, %al
	rep stosb
.endm

/* Two requests whose addresses lie at `at`, have they been made? */
.macro ASKED number
	cmpl $0, request + 8
	UNLESS e, \number
	cmpl $0, second + 8
	UNLESS e, \number
.endm

.macro ASK at
	movl $0x55, request + 8
	movl $0x55, second + 8
	movl $request, \at
	movl $second, \at + 4
	mov $SS_PORT_CONTROL, %edx
.endm

/* The instruction raises a page fault for `address`. */
.macro STRING_FAULTS error, address, number, insn:vararg
	movq $\address, wanted_cr2
	movq $\error, wanted_error
	movq $5f, wanted_rip
	movq $6f, resume
	movq $0, faults
5:	\insn
	EXIT \number
6:	cmpq $1, faults
	UNLESS e, \number
.endm

	CATCH_FAULTS
	GATE VECTOR_GP, general
	GATE VECTOR_BACK, back
	movb $GATE_USER, idt + 16 * VECTOR_BACK + 5
	movl $64, request
	movl $HELLO, request + 4
	movq $SS_ABI_VERSION, request + 16
	movl $64, second
	movl $HELLO, second + 4
	movq $SS_ABI_VERSION, second + 16

	/* The table of the area. */
	mov $table, %edi
	mov $AREA + PTE_ALL, %eax
1:	mov %rax, (%rdi)
	add $PAGE, %eax
	add $8, %edi
	cmp $table + PAGE, %edi
	jne 1b
	andb $~2, ENTRY(READ_ONLY)
	andb $~4, ENTRY(SUPERVISOR)
	andb $~1, ENTRY(ABSENT)
	movb $PTE_FRESH, ENTRY(FRESH)
	movb $PTE_FRESH, ENTRY(FRESH) + 8
	mov %cr3, %rax
	mov (%rax), %rax
	and $-PAGE, %rax
	mov (%rax), %rax
	and $-PAGE, %rax
	movq $table + PTE_ALL, 8 * AREA_PD_ENTRY(%rax)
	mov %cr3, %rax
	mov %rax, %cr3
	cld

	/* --- Boundaries. */
	CLEAN
	mov $AREA + PAGE - 2, %edi
	mov $SS_PORT_UNCLAIMED, %edx
	insl
	IS %rdi, (AREA + PAGE + 2), 20
	MOVED AREA, (AREA + PAGE - 2), (AREA + PAGE + 2), (AREA + 2 * PAGE), 21
	CLEAN
	mov $AREA + 0xffd, %edi
	mov $SS_PORT_UNCLAIMED, %edx
	mov $3000, %ecx
	rep insw
	IS %rdi, (AREA + 0xffd + 6000), 22
	IS %rcx, 0, 22
	MOVED AREA, (AREA + 0xffd), (AREA + 0xffd + 6000), (AREA + 3 * PAGE), 23
	CLEAN
	std
	mov $AREA + 3 * PAGE - 3, %edi
	mov $SS_PORT_UNCLAIMED, %edx
	mov $2000, %ecx
	rep insl
	cld
	IS %rdi, (AREA + 3 * PAGE - 3 - 8000), 24
	IS %rcx, 0, 24
	MOVED AREA, (AREA + 3 * PAGE - 3 - 7996), (AREA + 3 * PAGE + 1), (AREA + 4 * PAGE), 25
	ASK (AREA + PAGE - 6)
	mov $AREA + PAGE - 6, %esi
	mov $2, %ecx
	rep outsl
	IS %rsi, (AREA + PAGE + 2), 26
	ASKED 26

	/* --- Addresses of 32 bits in 64-bit mode. */
	CLEAN
	movabs $UPPER + AREA + PAGE - 8, %rdi
	movabs $UPPER + 16, %rcx
	mov $SS_PORT_UNCLAIMED, %edx
	addr32 rep insb
	IS %rdi, (AREA + PAGE + 8), 27
	IS %rcx, 0, 27
	MOVED AREA, (AREA + PAGE - 8), (AREA + PAGE + 8), (AREA + 2 * PAGE), 28
	movabs $UPPER + AREA, %rdi
	movabs $UPPER, %rcx
	mov $SS_PORT_UNCLAIMED, %edx
	addr32 rep insb
	MOVED AREA, (AREA + PAGE - 8), (AREA + PAGE + 8), (AREA + 2 * PAGE), 29
	movabs $UPPER + AREA + PAGE - 8, %rdi
	movabs $UPPER + 16, %rcx
	mov $SS_PORT_UNCLAIMED, %edx
	addr32 insb
	IS %rdi, (AREA + PAGE - 7), 30
	IS %rcx, (UPPER + 16), 30
	mov $MSR_FS_BASE, %ecx
	mov $AREA + 0x800, %eax
	xor %edx, %edx
	wrmsr
	ASK (AREA + PAGE - 4)
	movabs $UPPER + 0x7fc, %rsi
	mov $2, %ecx
	addr32 rep outsl %fs:(%esi), %dx
	IS %rsi, 0x804, 31
	ASKED 31

	/* --- Compatibility mode. */
	sgdt gdt_descriptor
	mov gdt_descriptor + 2, %rsi
	mov $gdt, %edi
	mov $SEL_CODE32, %ecx
	rep movsb
	lgdt new_gdt
	CLEAN
	ASK (AREA + 0xfffc)
	movl $second, AREA
	movl $code32, pointer
	movw $SEL_CODE32, pointer + 4
	lcall *pointer
	IS %rbx, 0x12340004, 32
	IS %rbp, 0x56780000, 32
	ASKED 32
	IS %rdi, (PAGE + 8), 33
	MOVED (AREA + 4), (AREA + PAGE - 8), (AREA + PAGE + 8), (AREA + 2 * PAGE), 33

	/* --- Read-only pages, which bind CPL 0 by CR0.WP. */
	CLEAN
	mov $READ_ONLY - 8, %edi
	mov $SS_PORT_UNCLAIMED, %edx
	mov $16, %ecx
	rep insb
	IS %rdi, (READ_ONLY + 8), 34
	cmpq $-1, READ_ONLY
	UNLESS e, 34
	mov %cr0, %rax
	or $CR0_WP, %eax
	mov %rax, %cr0
	movq $0x55, READ_ONLY - 16
	mov $READ_ONLY - 16, %edi
	mov $32, %ecx
	STRING_FAULTS PF_PRESENT | PF_WRITE, READ_ONLY, 35, rep insb
	IS %rdi, READ_ONLY, 36
	IS %rcx, 16, 36
	cmpq $-1, READ_ONLY - 16
	UNLESS e, 36
	/* An element that ends there is not begun. */
	movq $0x55, READ_ONLY - 8
	mov $READ_ONLY - 7, %edi
	mov $3, %ecx
	STRING_FAULTS PF_PRESENT | PF_WRITE, READ_ONLY, 37, rep insl
	cmp $3, %rcx		/* KVM moves what fits, and counts nothing */
	je 1f
	IS %rdi, (READ_ONLY - 3), 38
	IS %rcx, 2, 38
	mov READ_ONLY - 8, %rax
	IS %rax, 0x000000ffffffff55, 38
1:
	/* It may be read, all of it. */
	mov $READ_ONLY - 8, %esi
	mov $16, %ecx
	rep outsb
	IS %rsi, (READ_ONLY + 8), 39

	/* --- Pages that are not there. */
	mov $ABSENT + PAGE + 2, %esi
	mov $3, %ecx
	std
	STRING_FAULTS 0, (ABSENT + PAGE - 2), 40, rep outsw
	cld
	IS %rsi, (ABSENT + PAGE - 2), 41
	IS %rcx, 1, 41
	mov $ABSENT, %edi
	STRING_FAULTS PF_WRITE, ABSENT, 42, insb
	movabs $0x0000800000000000, %rsi
	movq $5f, wanted_rip
	movq $6f, resume
	movq $0, wanted_error
5:	outsb
	EXIT 43
6:

	/* --- What the processor notes in the tables. */
	mov $FRESH, %esi
	outsb
	mov ENTRY(FRESH), %al
	cmp $PTE_FRESH | 0x20, %al
	UNLESS e, 44
	mov $FRESH + PAGE - 2, %edi
	insl
	mov ENTRY(FRESH), %al
	cmp $PTE_FRESH | 0x60, %al
	UNLESS e, 45
	mov ENTRY(FRESH) + 8, %al
	cmp $PTE_FRESH | 0x60, %al
	UNLESS e, 45

	/* --- CPL 3, with the privilege for ports. */
	mov %rsp, kernel_stack
	mov $SUPERVISOR - 2, %edi
	mov $SUPERVISOR - 2, %esi
	mov $3, %ecx
	pushq $SS_SEL_USER_DATA
	push kernel_stack
	pushq $RFLAGS_IOPL3
	pushq $SS_SEL_USER_CODE
	pushq $1f
	iretq
1:	STRING_FAULTS PF_PRESENT | PF_WRITE | PF_USER, SUPERVISOR, 46, rep insb
	IS %rcx, 1, 47
	mov $2, %ecx
	STRING_FAULTS PF_PRESENT | PF_USER, SUPERVISOR, 48, rep outsw
	IS %rsi, SUPERVISOR, 49
	IS %rcx, 1, 49
	int $VECTOR_BACK
user_done:

	/* --- Views: of a monitor, which can withhold memory from instructions alone. */
	mov context, %rax
	testl $SS_CONTEXT_MONITOR, CONTEXT_FLAGS(%rax)
	jz good
	mov CONTEXT_WINDOW(%rax), %rbx
	lea PAGE(%rbx), %r12	 /* shared */
	lea 2 * PAGE(%rbx), %r13 /* private */
	ENTER_VIEW 1
	lea -4(%r12), %rdi
	movl $0x55, (%rdi)
	mov $8, %ecx
	mov $SS_PORT_UNCLAIMED, %edx
	call faults_at_shared
	IS %rcx, 4, 51
	cmp %r12, %rdi
	UNLESS e, 51
	cmpl $-1, -4(%r12)
	UNLESS e, 51
	mov (%r12), %rax
	IS %rax, SS_WINDOW_SHARED_VALUE, 52
	mov %r12, %rsi
	mov $2 * PAGE, %ecx
	rep outsb
	ENTER_VIEW 2
	lea 1(%r13), %rsi
	sub $4, %rsi
	mov $SS_PORT_CONTROL, %edx
	mov $2, %ecx
	call faults_at_private
	IS %rcx, 2, 54
	lea -3(%r13), %rax
	cmp %rax, %rsi
	UNLESS e, 54
	ENTER_VIEW 0
	mov (%r13), %rax
	IS %rax, SS_WINDOW_PRIVATE_VALUE, 55
good:	EXIT 0

faults_at_shared:
	mov %r12, wanted_cr2
	movq $PF_PRESENT | PF_WRITE, wanted_error
	movq $5f, wanted_rip
	movq $6f, resume
5:	rep insb
	EXIT 50
6:	ret

faults_at_private:
	mov %r13, wanted_cr2
	movq $PF_PRESENT, wanted_error
	movq $5f, wanted_rip
	movq $6f, resume
5:	rep outsl
	EXIT 53
6:	ret

/* ECX bytes of FILL from RDI on, EDX of ones, ESI of FILL; if not, the number of the check is in R9. */
moved:	mov $FILL, %al
	cld
	cmp %al, %al
	repe scasb
	jne 1f
	mov $-1, %al
	mov %edx, %ecx
	cmp %al, %al
	repe scasb
	jne 1f
	mov $FILL, %al
	mov %esi, %ecx
	cmp %al, %al
	repe scasb
	jne 1f
	ret
1:	mov %r9d, %eax
	out %al, $SS_PORT_EXIT
	FAULT_HANDLER

/* Some KVMs give CPL 3 no ports, whatever IOPL says. */
general:
	testb $3, 16(%rsp)
	jnz back
	pop %rax
	cmp %rax, wanted_error
	jne wrong
	mov (%rsp), %rax
	cmp %rax, wanted_rip
	jne wrong
	mov resume, %rax
	mov %rax, (%rsp)
	iretq

/* From CPL 3. */
back:	mov kernel_stack, %rsp
	jmp user_done

	.code32
code32:	mov $SEL_BASE, %eax
	mov %eax, %ds
	mov %eax, %es
	mov $0x1234fffc, %esi
	mov $0x56780002, %ecx
	addr16 rep outsl	/* over the end of what 16 bits can address */
	mov %esi, %ebx
	mov %ecx, %ebp
	mov $SS_PORT_UNCLAIMED, %edx
	mov $PAGE - 8, %edi
	mov $16, %ecx
	rep insb
	mov $SS_SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	lret
	.code64

	.section .bss
	.p2align 12
table:	.fill PAGE, 1, 0
	.section .data
	.p2align 3
second:	.fill 64, 1, 0
kernel_stack: .quad 0
pointer:
	.long 0
	.word 0
new_gdt:
	.word SEL_BASE + 8 - 1
	.quad gdt
	.p2align 3
gdt:	.fill SEL_CODE32, 1, 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93600000ffff /* its base is AREA */
