/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a boot loader enters: by Multiboot 1 or 2, in 32-bit protected mode without paging. Memory up to 4 GiB is mapped
 * one to one, then it goes on in 64-bit mode in bare_load().
 */
#include "flat.inc"

#define MULTIBOOT1_MAGIC 0x1badb002
#define MULTIBOOT1_FLAGS 0x10002 /* a memory map; addresses are in the header */
#define MULTIBOOT2_MAGIC 0xe85250d6
#define STACK_SIZE 0x4000
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_PG_WP_NE 0x80010020

	.section .text.start, "ax"
	.code32
	.globl bare_boot
bare_boot:
	jmp enter

	.balign 8
multiboot1:
	.long MULTIBOOT1_MAGIC, MULTIBOOT1_FLAGS, -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)
	.long multiboot1, bare_boot, 0, 0, enter	/* up to the end of the file; nothing behind it */

	.balign 8
multiboot2:
	.long MULTIBOOT2_MAGIC, 0, multiboot2_end - multiboot2
	.long -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2))
	.short 2, 0	/* addresses */
	.long 24, multiboot2, bare_boot, 0, 0
	.short 3, 0	/* entry */
	.long 12, enter
	.balign 8
	.short 5, 1	/* a framebuffer of any size, or none: with UEFI there is no other screen */
	.long 20, 0, 0, 0
	.balign 8
	.short 0, 0	/* end */
	.long 8
multiboot2_end:

enter:
	cli
	cld
	mov $stack_end, %esp
	mov %eax, %edi	/* which kind it was */
	mov %ebx, %esi	/* and what it tells */
	mov $(bare_pdpt + 3), %eax
	mov %eax, bare_pml4
	mov $4, %ecx
	mov $bare_pdpt, %ebx
	lea 0x1003(%ebx), %eax
1:	mov %eax, (%ebx)
	add $8, %ebx
	add $0x1000, %eax
	loop 1b
	mov $2048, %ecx
	mov $(bare_pdpt + 0x1000), %ebx
	mov $0x83, %eax
2:	mov %eax, (%ebx)
	add $8, %ebx
	add $0x200000, %eax
	loop 2b
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $bare_pml4, %eax
	mov %eax, %cr3
	mov $EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov %cr0, %eax
	or $CR0_PG_WP_NE, %eax
	mov %eax, %cr0
	lgdt descriptor
	ljmp $8, $long_mode

	.code64
long_mode:
	LOAD_FLAT_DATA
	call bare_load
1:	hlt
	jmp 1b

	.balign 8
gdt:
	.quad FLAT_DESCRIPTORS
descriptor:
	.short . - gdt - 1
	.long gdt

	.section .bss
	.balign 16
stack:
	.skip STACK_SIZE
stack_end:
	.section .note.GNU-stack, "", @progbits
