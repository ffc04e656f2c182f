/* SPDX-License-Identifier: MIT */
/*
 * The gate, the only code that is executable in every view. The entries that it goes on to are where the text of
 * each module begins (modules.ld).
 *
 * VMFUNC asks neither who executes it nor where. What the gate gives is that there is no other place
 * for it: a view changes here, and the only way on from here is the entry of the module whose view it
 * now is. Whoever jumps into the middle of the gate with registers of its choice gets no further: the
 * jump goes by the same register that VMFUNC took the view from. What an entry finds in registers is
 * the sender's word and no more.
 */
#include "call.inc"
#include "guest.h"
#include "vectors.inc"

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
4:	mov tag_page(%rip), %r8
	mov (%r8), %r8d
	test %r8d, %r8d
	jnz 5f
	mov $(VECTOR_UD << MESSAGE_VECTOR_SHIFT | MESSAGE_FAULT), %edi
	lea gate(%rip), %rdx
	jmp kernel_entry
5:	ud2

/*
 * Exceptions arrive in whatever view they happen, on a stack that every view shows. The kernel gets
 * them as a message, so that nothing has to be read after the view has changed.
 */
	.p2align 4
	.globl fault_entries
fault_entries:
	VECTOR_ENTRIES exception

exception:
	cmpl $VECTOR_UD, (%rsp)
	je 2f
1:	pop %rdi
	shl $MESSAGE_VECTOR_SHIFT, %edi
	or $MESSAGE_FAULT, %edi
	pop %rsi
	mov (%rsp), %rdx
	mov %cr2, %r9
	/* The page that shows which view this is. */
	mov tag_page(%rip), %r8
	mov (%r8), %r8d
	mov $VIEW_KERNEL, %ecx
	LEAVE_VIEW

	/* VMFUNC of a processor that has none for this guest: the VMM is asked, and the gate goes on. */
2:	lea gate_vmfunc(%rip), %rbx
	cmp %rbx, 16(%rsp)
	jne 1b
	mov %rdx, %rbp
	lea vmfunc_request(%rip), %rbx
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

	.section .common, "aw", @progbits
	.globl gate_mode, tag_page
gate_mode:
	.long GATE_VMFUNC
	.p2align 3
tag_page:
	.quad 0

	.section .shared, "aw", @progbits
	.p2align 3
vmfunc_request:
	.long 64, 4		/* its size, SS_REQUEST_VMFUNC */
	.fill 56, 1, 0
	.p2align 4
	.fill STACK_SIZE - 128, 1, 0
	.globl fault_stack_end
fault_stack_end:

	.section .note.GNU-stack, "", @progbits
