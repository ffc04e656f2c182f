/* SPDX-License-Identifier: MIT */
/*
 * The gate, the only code that is executable in every view, and the ends of calls in each module.
 *
 * VMFUNC asks neither who executes it nor where. What the gate gives is that there is no other place
 * for it: a view changes here, and the only way on from here is the entry of the module whose view it
 * now is. Whoever jumps into the middle of the gate with registers of its choice gets no further: the
 * jump goes by the same register that VMFUNC took the view from. What an entry finds in registers is
 * the sender's word and no more.
 */
#include "abi.h"
#include "modules.h"

#define VECTOR_UD 6

	.section .gate, "ax", @progbits
	.globl gate
gate:
	mov gate_mode(%rip), %eax
	test %eax, %eax
	jnz 1f
	.globl gate_vmfunc
gate_vmfunc:
	vmfunc
	jmp 3f
1:	cmp $GATE_VMMCALL, %eax
	mov $HYPERCALL_VIEW, %eax
	je 2f
	vmcall
	jmp 3f
2:	vmmcall
3:	test %rax, %rax
	jnz 4f
	test %ecx, %ecx
	jz kernel_entry
	cmp $VIEW_A, %ecx
	je driver_a_entry
	cmp $VIEW_B, %ecx
	je driver_b_entry
	/* Nothing has changed, or the view is none of ours. That is a fault of the sender's; of one of the
	 * kernel, which cannot switch either, it is told right here. */
4:	mov view_tag(%rip), %r8
	mov (%r8), %r8d
	test %r8d, %r8d
	jnz 5f
	mov $(VECTOR_UD << MESSAGE_VECTOR_SHIFT | MESSAGE_FAULT), %edi
	lea gate(%rip), %rdx
	jmp kernel_entry
5:	ud2

/* A module's registers are no business of the next one. */
.macro LEAVE_VIEW
	xor %ebx, %ebx
	xor %ebp, %ebp
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	jmp gate
.endm

/*
 * Exceptions arrive in whatever view they happen, on a stack that every view shows. The kernel gets
 * them as a message, so that nothing has to be read after the view has changed.
 */
#define ERROR_CODE_VECTORS 0x60227d00

.macro VECTOR number
	.p2align 4
	.if ((ERROR_CODE_VECTORS >> \number) & 1) == 0
	pushq $0
	.endif
	pushq $\number
	jmp fault
.endm

	.p2align 4
	.globl fault_entries
fault_entries:
	.set vector, 0
	.rept 32
	VECTOR vector
	.set vector, vector + 1
	.endr

fault:
	cmpl $VECTOR_UD, (%rsp)
	je 2f
1:	pop %rdi
	shl $MESSAGE_VECTOR_SHIFT, %edi
	or $MESSAGE_FAULT, %edi
	pop %rsi
	mov (%rsp), %rdx
	mov %cr2, %r9
	/* The page that shows which view this is. */
	mov view_tag(%rip), %r8
	mov (%r8), %r8d
	mov $VIEW_KERNEL, %ecx
	LEAVE_VIEW

	/* VMFUNC of a processor that has none for this guest: the VMM is asked, and the gate goes on. */
2:	lea gate_vmfunc(%rip), %rbx
	cmp %rbx, 16(%rsp)
	jne 1b
	mov %rdx, %rbp
	lea request(%rip), %rbx
	mov %ecx, %eax
	mov %rax, 24(%rbx)	/* arg1; the rest is as a request for VMFUNC with EAX 0 needs it */
	mov %ebx, %eax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
	mov %rbp, %rdx
	movslq 8(%rbx), %rax	/* status; ret0, SS_VMFUNC_STEP; ret1, RAX */
	or 48(%rbx), %rax
	or 56(%rbx), %rax
	xor %ebx, %ebx
	xor %ebp, %ebp
	jmp 3b

/*
 * A module's ends of a call. NAME_saved is where its stack starts for whoever comes in: the top, or
 * what its own call that is under way has left there. It lies in the module's own data.
 */
.macro ENTRY name, view
	.section .\name\().text, "ax", @progbits
	.globl \name\()_entry
\name\()_entry:
	cld
	mov \name\()_saved(%rip), %rsp
	cmp $MESSAGE_CALL, %edi
	jne \name\()_no_call
	push %r8
	mov %rsi, %rdi
	mov %rdx, %rsi
	call \name\()_serve
	pop %rcx
	mov $MESSAGE_ANSWER, %edi
	mov %rax, %rsi
	xor %edx, %edx
	xor %r9d, %r9d
	mov $\view, %r8d
	LEAVE_VIEW
.endm

.macro BEGIN_CALL name
	.globl \name\()_call
\name\()_call:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	pushq \name\()_saved(%rip)
.endm

.macro SEND_CALL name, view
	mov %rsp, \name\()_saved(%rip)
	mov %edi, %ecx
	mov $MESSAGE_CALL, %edi
	xor %r9d, %r9d
	mov $\view, %r8d
	LEAVE_VIEW
.endm

/* An answer although nothing was asked is a fault of this module's own. */
.macro CHECK_ANSWER name
	cmp $MESSAGE_ANSWER, %edi
	jne 9f
	lea \name\()_stack_end(%rip), %rax
	cmp %rax, %rsp
	je 9f
.endm

.macro END_CALL name
	popq \name\()_saved(%rip)
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	mov %rsi, %rax
	ret
9:	ud2
.endm

.macro STACK name
	.section .\name\().data, "aw", @progbits
	.p2align 4
	.fill STACK_SIZE, 1, 0
	.globl \name\()_stack_end, \name\()_saved
\name\()_stack_end:
\name\()_saved:
	.quad \name\()_stack_end
.endm

	.irp name, driver_a, driver_b
	STACK \name
	.endr
	ENTRY driver_a, VIEW_A
	BEGIN_CALL driver_a
	SEND_CALL driver_a, VIEW_A
driver_a_no_call:
	CHECK_ANSWER driver_a
	END_CALL driver_a

	ENTRY driver_b, VIEW_B
	BEGIN_CALL driver_b
	SEND_CALL driver_b, VIEW_B
driver_b_no_call:
	CHECK_ANSWER driver_b
	END_CALL driver_b

/*
 * The kernel remembers where the drivers' stacks stood, so that it can give a call up, whatever the
 * driver that it called had called in turn.
 */
	STACK kernel
	ENTRY kernel, VIEW_KERNEL
	BEGIN_CALL kernel
	pushq driver_a_saved(%rip)
	pushq driver_b_saved(%rip)
	SEND_CALL kernel, VIEW_KERNEL
kernel_no_call:
	cmp $MESSAGE_FAULT, %dil
	je 1f
	CHECK_ANSWER kernel
	add $16, %rsp
	jmp 2f
1:	shr $MESSAGE_VECTOR_SHIFT, %edi
	mov %r9, %rcx
	call kernel_fault	/* returns if a call is to be given up */
	popq driver_b_saved(%rip)
	popq driver_a_saved(%rip)
	mov $CALL_KILLED, %rsi
2:	END_CALL kernel

/* Where the VMM starts every vCPU. */
	.globl _start
_start:
	cld
	call kernel_main
3:	cli
	hlt
	jmp 3b

	.section .common, "aw", @progbits
	.globl gate_mode, view_tag
gate_mode:
	.long GATE_VMFUNC
	.p2align 3
view_tag:
	.quad 0

	.section .shared, "aw", @progbits
	.p2align 3
request:
	.long 64, 4		/* its size, SS_REQUEST_VMFUNC */
	.fill 56, 1, 0
	.p2align 4
	.fill STACK_SIZE - 128, 1, 0
	.globl fault_stack_end
fault_stack_end:

	.irp name, driver_a, driver_b
	.section .\name\().tables, "aw", @nobits
	.globl \name\()_tables
\name\()_tables:
	.fill TABLES_SIZE, 1, 0
	.endr
	.section .note.GNU-stack, "", @progbits
