/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a processor begins that another one has started: in real mode, in a copy of this below 1 MiB. It goes to 64-bit
 * mode at once, in the monitor's address space.
 */
#include "flat.inc"
#include "guestfw/relay/relay.h"

#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_PG_WP_NE_ET_PE 0x80010031
#define HERE(label) ((label) - bare_others_start)

	.text
	.code16
	.globl bare_others_start, bare_others_gdt, bare_others_words, bare_others_end
bare_others_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl HERE(bare_others_words)
	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov HERE(cr3), %eax
	mov %eax, %cr3
	mov $EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov $CR0_PG_WP_NE_ET_PE, %eax
	mov %eax, %cr0
	ljmpl *HERE(entry)

	.balign 8
bare_others_gdt:
	.quad FLAT_DESCRIPTORS
bare_others_words:	/* struct start_words */
	.short . - bare_others_gdt - 1
	.long 0
cr3:
	.long 0
entry:
	.long 0
	.short 8
bare_others_end:

/* Each takes a number, which is that of its vCPU. */
	.code64
	.globl bare_others_enter
bare_others_enter:
	LOAD_FLAT_DATA
	mov $1, %edi
	lock xadd %edi, bare_others_next(%rip)
	cmp bare_others_limit(%rip), %edi
	jae 1f
	imul $RELAY_VCPU_STRIDE, %edi, %eax
	mov $(RELAY_VCPUS + RELAY_STACK_TOP), %esp
	add %rax, %rsp
	xor %ebp, %ebp
	call *bare_others_entry(%rip)
1:	cli
	hlt
	jmp 1b

	.bss
	.balign 8
	.globl bare_others_entry, bare_others_next, bare_others_limit
bare_others_entry:	/* a function that takes the number */
	.skip 8
bare_others_next:
	.skip 4
bare_others_limit:
	.skip 4
	.section .note.GNU-stack, "", @progbits
