/* SPDX-License-Identifier: MIT */
/* Routines of the catalogue. See routine.inc for the registers. */
#include "routine.inc"

/* What a sample costs with no repetition at all. */
OPERATION overhead
	READ_TSC
	mov %rax, %r12
	xor %ebp, %ebp
	mov %rax, %r9
	READ_TSC
	sub %r12, %rax
	mov %rax, FRAME_TICKS(%r15)
LEAVE overhead

OPERATION nothing
	LOOP
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE nothing

/* Control registers. What CR0 is afterwards the caller reads: an access that exits would count as one
 * of the operation's. */

OPERATION mov_cr0
	LOOP
	xor %r13, %rbx
	MAY_FAULT mov %rbx, %cr0
	END_LOOP
	mov %rbx, FRAME_CR0(%r15)
LEAVE mov_cr0

OPERATION mov_cr4
	LOOP
	xor %r13, %rbx
	MAY_FAULT mov %rbx, %cr4
	END_LOOP
	mov %rbx, FRAME_CR0(%r15)
LEAVE mov_cr4

OPERATION clts
	or %r13, %rbx
	LOOP
	MAY_FAULT mov %rbx, %cr0
	MAY_FAULT clts
	END_LOOP
LEAVE clts

OPERATION lmsw
	LOOP
	xor %r13, %rbx
	MAY_FAULT lmsw %bx
	END_LOOP
	mov %rbx, FRAME_CR0(%r15)
LEAVE lmsw

/* The flags of r13 are inverted and put back, each time with an FPU instruction after it. */
.macro CR0_FPU name, there, back:vararg
OPERATION \name
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	xor %r13, %rbx
	MAY_FAULT \there
	MAY_FAULT fxsave (%rdi)
	xor %r13, %rbx
	MAY_FAULT \back
	MAY_FAULT fxsave (%rdi)
	END_LOOP
LEAVE \name
.endm

CR0_FPU mov_fpu, "mov %rbx, %cr0", mov %rbx, %cr0
CR0_FPU clts_fpu, "mov %rbx, %cr0", clts
CR0_FPU lmsw_fpu, "lmsw %bx", lmsw %bx

OPERATION clts_again
	LOOP
	MAY_FAULT clts
	END_LOOP
LEAVE clts_again

OPERATION read_cr0
	LOOP
	mov %cr0, %rbx
	END_LOOP
	mov %rbx, FRAME_VALUE(%r15)
LEAVE read_cr0

OPERATION read_cr4
	LOOP
	mov %cr4, %rbx
	END_LOOP
	mov %rbx, FRAME_VALUE(%r15)
LEAVE read_cr4

OPERATION smsw
	LOOP
	smsw %ebx
	END_LOOP
	and $0xffff, %ebx
	mov %rbx, FRAME_VALUE(%r15)
LEAVE smsw

/*
 * The enlightened way (struct ss_flag_words at rdi). For each embodiment, KEPT_: the kept flags, in rdx; and DECIDE_: of
 * the flags in rax, which change, those that go to the register, in rcx, and those that go to the shadow, in
 * rax; to 3 if there is any other. A word that the decision does not depend on is not read.
 */

/* Bits 0, 2, 4 ... of a register, moved together. */
.macro SQUEEZE reg
	SQUEEZE_STEP \reg, 0, 0x5555555555555555
	SQUEEZE_STEP \reg, 1, 0x3333333333333333
	SQUEEZE_STEP \reg, 2, 0x0f0f0f0f0f0f0f0f
	SQUEEZE_STEP \reg, 4, 0x00ff00ff00ff00ff
	SQUEEZE_STEP \reg, 8, 0x0000ffff0000ffff
	SQUEEZE_STEP \reg, 16, 0x00000000ffffffff
.endm

.macro SQUEEZE_STEP reg, shift, mask
	mov \reg, %r11
	shr $\shift, %r11
	or %r11, \reg
	movabs $\mask, %r11
	and %r11, \reg
.endm

.macro KEPT_TWO_WORDS
	mov WORDS_SECOND(%rdi), %rdx
.endm

.macro KEPT_ONE_WORD
	mov WORDS_FIRST(%rdi), %rdx
	shr $1, %rdx
	SQUEEZE %rdx
.endm

.macro KEPT_SINGLE_MASK
	mov WORDS_FIRST(%rdi), %edx
	not %edx
.endm

.macro KEPT_OWNED_FIRST
	mov WORDS_FIRST(%rdi), %edx
	xor $-1, %edx
	jz 9f
	and WORDS_SECOND(%rdi), %rdx
9:
.endm

.macro KEPT_SHADOW_FIRST
	mov WORDS_SECOND(%rdi), %rdx
.endm

/* From the owned flags, in rcx, and the kept ones, in rdx. */
.macro DECIDE
	and %rax, %rcx
	xor %rcx, %rax
	not %rdx
	test %rax, %rdx
	jnz 3f
.endm

.macro DECIDE_TWO_WORDS
	mov WORDS_FIRST(%rdi), %rcx
	mov WORDS_SECOND(%rdi), %rdx
	DECIDE
.endm

.macro DECIDE_ONE_WORD
	mov WORDS_FIRST(%rdi), %rcx
	mov %rcx, %rdx
	shr $1, %rdx
	SQUEEZE %rcx
	SQUEEZE %rdx
	DECIDE
.endm

.macro DECIDE_SINGLE_MASK
	mov WORDS_FIRST(%rdi), %rcx
	and %rax, %rcx
	xor %rcx, %rax
.endm

.macro DECIDE_OWNED_FIRST
	mov WORDS_FIRST(%rdi), %rcx
	and %rax, %rcx
	xor %rcx, %rax
	jz 9f
	mov WORDS_SECOND(%rdi), %rdx
	not %rdx
	test %rax, %rdx
	jnz 3f
9:
.endm

.macro DECIDE_SHADOW_FIRST
	mov WORDS_SECOND(%rdi), %rdx
	mov %rax, %rcx
	and %rdx, %rax
	xor %rax, %rcx
	jz 9f
	mov WORDS_FIRST(%rdi), %rdx
	not %rdx
	test %rcx, %rdx
	jnz 3f
9:
.endm

/* What the guest sees, in rax. */
.macro SEEN embodiment
	KEPT_\embodiment
	mov WORDS_VALUE(%rdi), %rax
	mov WORDS_SHADOW(%rdi), %rcx
	xor %rax, %rcx
	and %rdx, %rcx
	xor %rcx, %rax
.endm

.macro WRITE_BY embodiment, number
	cmpl $\number, WORDS_EMBODIMENT(%rdi)
	jne 7f
	LOOP
	xor %r13, %rbx
	SEEN \embodiment
	xor %rbx, %rax			/* flags that change */
	DECIDE_\embodiment
	xor %rax, WORDS_SHADOW(%rdi)
	test %rcx, %rcx
	jz 2f
	xor WORDS_VALUE(%rdi), %rcx
	mov %rcx, %cr0
	mov %rcx, WORDS_VALUE(%rdi)
	jmp 2f
3:	MAY_FAULT mov %rbx, %cr0	/* one that only the VMM may decide */
2:	END_LOOP
	SEEN \embodiment
	jmp 8f
7:
.endm

.macro READ_BY embodiment, number
	cmpl $\number, WORDS_EMBODIMENT(%rdi)
	jne 7f
	LOOP
	SEEN \embodiment
	END_LOOP
	jmp 8f
7:
.endm

.macro BY_EMBODIMENT access
	\access TWO_WORDS, NUMBER_EMBODIMENT_TWO_WORDS
	\access ONE_WORD, NUMBER_EMBODIMENT_ONE_WORD
	\access SINGLE_MASK, NUMBER_EMBODIMENT_SINGLE_MASK
	\access OWNED_FIRST, NUMBER_EMBODIMENT_OWNED_FIRST
	\access SHADOW_FIRST, NUMBER_EMBODIMENT_SHADOW_FIRST
8:
.endm

OPERATION enlightened_write
	mov FRAME_WORDS(%r15), %rdi
	BY_EMBODIMENT WRITE_BY
	mov %rbx, FRAME_CR0(%r15)
	mov %rax, FRAME_VALUE(%r15)
LEAVE enlightened_write

OPERATION enlightened_read
	mov FRAME_WORDS(%r15), %rdi
	BY_EMBODIMENT READ_BY
	mov %r9, FRAME_VALUE(%r15)
LEAVE enlightened_read

/* The effect of TS and MP */

OPERATION fxsave
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	MAY_FAULT fxsave (%rdi)
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE fxsave

OPERATION wait
	LOOP
	MAY_FAULT wait
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE wait

/* Views: leaf in edi, index in esi, what to XOR into it in r8d */

.macro VMFUNC_OPERANDS
	mov %r13d, %esi
	mov %r13, %rdi
	shr $32, %rdi
	mov FRAME_FLIP(%r15), %r8d
	xor %r8d, %esi
.endm

.macro VMFUNC_STEP
	xor %r8d, %esi
	mov %esi, %ecx
	mov %edi, %eax
	MAY_FAULT vmfunc
.endm

/* The routine's own index goes back to the frame as the operand of a next call. */
.macro VMFUNC_RESULT
	xor %r8d, %esi
	mov %esi, FRAME_ARG(%r15)
	mov %r9, FRAME_VALUE(%r15)
.endm

	/* Off the end of a page: an instruction across it costs whoever fetches it two walks. */
	.text
	.p2align 7
OPERATION vmfunc
	VMFUNC_OPERANDS
	LOOP
	VMFUNC_STEP
	END_LOOP
	VMFUNC_RESULT
LEAVE vmfunc

/* The index is in memory, and the view rotates. */
OPERATION vmfunc_memory
	VMFUNC_OPERANDS
	LOOP
	xor %r8d, %esi
	mov FRAME_ADDRESS(%r15), %rdx
	mov %esi, ARGS_INDEX(%rdx)
	mov $SS_SERVICE_IN_MEMORY, %ecx
	mov %edi, %eax
	MAY_FAULT vmfunc
	END_LOOP
	VMFUNC_RESULT
LEAVE vmfunc_memory

OPERATION vmfunc_back
	mov %r13d, %esi
	LOOP
	mov %esi, %ecx
	xor %eax, %eax
	MAY_FAULT vmfunc
	xor %ecx, %ecx
	xor %eax, %eax
	MAY_FAULT vmfunc
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE vmfunc_back

/* At CPL 3 the loop is the same. The way back is a page fault at a known place, on page 0, which is
 * absent: with two-level paging nobody intercepts that, so it is no exit of the operation. */
OPERATION vmfunc_user
	mov %rsp, FRAME_KERNEL_RSP(%r15)
	pushq $SS_SEL_USER_DATA
	pushq FRAME_USER_RSP(%r15)
	pushq $2
	pushq $SS_SEL_USER_CODE
	lea 6f(%rip), %rax
	push %rax
	iretq
6:	VMFUNC_OPERANDS
	LOOP
	VMFUNC_STEP
	END_LOOP
	VMFUNC_RESULT
7:	movb $0, 0
8:
	FIXUP 7b, 8b, 1
LEAVE vmfunc_user

/* Through as many views as the operand's low half says, beginning after view 0. */
OPERATION vmfunc_cycle
	mov FRAME_FLIP(%r15), %r8d
	xor %r10d, %r10d
	LOOP
	add $1, %r8d
	cmp %r13d, %r8d
	cmove %r10d, %r8d
	mov %r8d, %ecx
	xor %eax, %eax
	MAY_FAULT vmfunc
	END_LOOP
	mov %r8, FRAME_FLIP(%r15)
	mov %r9, FRAME_VALUE(%r15)
LEAVE vmfunc_cycle

OPERATION view_load
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	MAY_FAULT mov (%rdi), %rax
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE view_load

/* Where the store is allowed it must not matter that it is: the page's own value is written. */
OPERATION view_store
	mov FRAME_ADDRESS(%r15), %rdi
	mov FRAME_STORE(%r15), %rbx
	LOOP
	MAY_FAULT mov %rbx, (%rdi)
	END_LOOP
LEAVE view_store

/* What is called only returns. If it may not be executed, the fault is there and not here. */
OPERATION view_call
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	call *%rdi
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE view_call

/* The service that sets rights. Its operands are in the routine's: rights << 16 | view << 8 | region;
 * esi holds the rights that are asked for, r10 gathers what RAX says. */

.macro MAP_RIGHTS
	mov %r13d, %esi
	shr $16, %esi
	xor %r10d, %r10d
.endm

.macro MAP rights
	mov $SERVICE_MAP, %eax
	movzbl %r13b, %ecx
	mov %r13d, %edx
	movzbl %dh, %edx
	mov \rights, %ebx
	MAY_FAULT vmfunc
	or %rax, %r10
.endm

#define ALL_RIGHTS $(SS_RIGHT_READ | SS_RIGHT_WRITE | SS_RIGHT_EXECUTE)

/* What the routine yields: r11, unless a call has failed. */
.macro MAP_RESULT
	test %r10, %r10
	cmovne %r10, %r11
	mov %r11, FRAME_VALUE(%r15)
.endm

OPERATION map
	MAP_RIGHTS
	LOOP
	MAP %esi
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE map

OPERATION map_memory
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	mov $SERVICE_MAP, %eax
	mov $SS_SERVICE_IN_MEMORY, %ecx
	mov %rdi, %rdx
	MAY_FAULT vmfunc
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE map_memory

/* The rights, and back, of a page that is not looked at. */
OPERATION map_pair
	MAP_RIGHTS
	xor %r11d, %r11d
	LOOP
	MAP %esi
	MAP ALL_RIGHTS
	END_LOOP
	MAP_RESULT
LEAVE map_pair

/* After the rights have come back the page is used, so that they are taken from one whose translation
 * the processor has cached. */
OPERATION map_load
	MAP_RIGHTS
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	MAP %esi
	MAY_FAULT mov (%rdi), %r11
	MAP ALL_RIGHTS
	mov (%rdi), %rax
	END_LOOP
	MAP_RESULT
LEAVE map_load

OPERATION map_store
	MAP_RIGHTS
	mov FRAME_ADDRESS(%r15), %rdi
	mov FRAME_STORE(%r15), %r8
	LOOP
	MAP %esi
	MAY_FAULT mov %r8, (%rdi)
	MAP ALL_RIGHTS
	mov (%rdi), %r11
	mov %r11, (%rdi)
	END_LOOP
	MAP_RESULT
LEAVE map_store

/* Hypercalls and services. No hypervisor we know uses this number. */
#define UNUSED_HYPERCALL 0x53530001

OPERATION vmcall
	LOOP
	mov $UNUSED_HYPERCALL, %eax
	MAY_FAULT vmcall
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE vmcall

OPERATION vmmcall
	LOOP
	mov $UNUSED_HYPERCALL, %eax
	MAY_FAULT vmmcall
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE vmmcall

/* Hypercalls that a monitor answers, by the instruction of the vendor; the number in rbx. */
.macro HYPERCALL_LOOPS body
	mov FRAME_ADDRESS(%r15), %rbx
	cmpq $0, FRAME_VMMCALL(%r15)
	jne 8f
	LOOP
	\body
	mov %rbx, %rax
	vmcall
	END_LOOP
	jmp 9f
8:	LOOP
	\body
	mov %rbx, %rax
	vmmcall
	END_LOOP
9:	mov %r9, FRAME_VALUE(%r15)
.endm

OPERATION hypercall_null
	HYPERCALL_LOOPS
LEAVE hypercall_null

.macro NEXT_VIEW
	xor $3, %esi
	mov %esi, %ecx
.endm

/* Views 1 and 2 in turn, as VMFUNC does. The last index, bit 0 inverted, is kept in the frame; it
 * starts as 3, so that the first step goes to view 1. */
OPERATION hypercall_view
	mov FRAME_FLIP(%r15), %esi
	xor $1, %esi
	HYPERCALL_LOOPS NEXT_VIEW
	xor $1, %esi
	mov %esi, FRAME_FLIP(%r15)
LEAVE hypercall_view

/* The ways that CPUID and WRMSR are; the number in edi. */
OPERATION cpuid_null
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	mov %edi, %eax
	cpuid
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE cpuid_null

OPERATION cpuid_view
	mov FRAME_ADDRESS(%r15), %rdi
	mov FRAME_FLIP(%r15), %esi
	xor $1, %esi
	LOOP
	NEXT_VIEW
	mov %edi, %eax
	cpuid
	END_LOOP
	xor $1, %esi
	mov %esi, FRAME_FLIP(%r15)
	mov %r9, FRAME_VALUE(%r15)
LEAVE cpuid_view

OPERATION wrmsr_null
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	mov %edi, %ecx
	xor %eax, %eax
	xor %edx, %edx
	MAY_FAULT wrmsr
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE wrmsr_null

OPERATION wrmsr_view
	mov FRAME_ADDRESS(%r15), %rdi
	mov FRAME_FLIP(%r15), %esi
	xor $1, %esi
	LOOP
	NEXT_VIEW
	mov %esi, %eax
	xor %edx, %edx
	mov %edi, %ecx
	MAY_FAULT wrmsr
	END_LOOP
	xor $1, %esi
	mov %esi, FRAME_FLIP(%r15)
	movq $0, FRAME_VALUE(%r15)
LEAVE wrmsr_view

/* The request stands prepared at the frame's address. */
OPERATION service
	mov FRAME_ADDRESS(%r15), %rdi
	mov %rdi, %rbx
	LOOP
	mov %ebx, %eax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE service

/* Operations to compare with */

OPERATION cpuid
	LOOP
	xor %eax, %eax
	xor %ecx, %ecx
	cpuid
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE cpuid

OPERATION rdtsc
	LOOP
	rdtsc
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE rdtsc

#define MSR_EFER 0xc0000080
OPERATION rdmsr
	mov $MSR_EFER, %ecx
	LOOP
	rdmsr
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE rdmsr

OPERATION invlpg
	mov FRAME_ADDRESS(%r15), %rdi
	LOOP
	invlpg (%rdi)
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE invlpg

OPERATION wbinvd
	LOOP
	wbinvd
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE wbinvd

OPERATION port_out
	LOOP
	out %al, $SS_PORT_UNCLAIMED
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE port_out

OPERATION port_in
	LOOP
	xor %eax, %eax
	in $SS_PORT_UNCLAIMED, %al
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE port_in

OPERATION mmio_read
	mov $SS_MMIO_GPA, %edi
	LOOP
	mov (%rdi), %rax
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE mmio_read

OPERATION mmio_write
	mov $SS_MMIO_GPA, %edi
	movabs $SS_MMIO_RESET, %rbx
	LOOP
	mov %rbx, (%rdi)
	END_LOOP
	mov %rbx, FRAME_VALUE(%r15)
LEAVE mmio_write

/* STI holds interrupts off for one instruction, so HLT itself finds the interrupt pending. */
OPERATION hlt
	LOOP
	sti
	hlt
	cli
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE hlt

OPERATION ud2
	LOOP
	MAY_FAULT ud2
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE ud2

OPERATION gp
	movabs $0x8000000000000000, %rdi
	LOOP
	MAY_FAULT mov (%rdi), %rax
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE gp

OPERATION pf
	movabs $0x400000000000, %rdi
	LOOP
	MAY_FAULT mov (%rdi), %rax
	END_LOOP
	movq $0, FRAME_VALUE(%r15)
LEAVE pf

.section .note.GNU-stack, "", @progbits
