/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start of every guest: the Multiboot 1 header, descriptors and a stack of its own, then guest(). With ADDRESSES the
 * header says where to load what, and the file needs not be an ELF file.
 */
#define MAGIC 0x1badb002
#define BOOT_MAGIC 0x2badb002
#define ALIGN_AND_MEMORY 3
#ifdef ADDRESSES
#define FLAGS (ALIGN_AND_MEMORY | 1 << 16)
#else
#define FLAGS ALIGN_AND_MEMORY
#endif
#define CODE 0x08
#define DATA 0x10
#define STACK 16384

	.section .multiboot, "a"
#ifdef ADDRESSES
	/* What is before the header belongs to the image too. */
	.long 0x600df00d
#endif
	.p2align 2
header:
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)
#ifdef ADDRESSES
	.long header, image_start, image_data_end, image_end, start
#endif

	.text
	.globl start
start:
	cli
	cld
	lgdt gdtr
	ljmp $CODE, $1f
1:	mov $DATA, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %fs
	mov %ecx, %gs
	mov %ecx, %ss
	mov $stack_end, %esp
	cmp $BOOT_MAGIC, %eax
	mov $0xbad, %eax
	jne 2f
	push %ebx
	call guest
2:	push %eax
	call finish

/* Where INIT and SIPI start other processors, copied to a page below 1 MiB; each comes to other() with a stack. */
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl (gdtr - trampoline)
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $CODE, $other_start
gdtr:
	.word gdt_end - gdt - 1
	.long gdt
trampoline_end:
	.code32
other_start:
	mov $DATA, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %fs
	mov %ecx, %gs
	mov %ecx, %ss
	mov $-STACK, %eax
	lock xadd %eax, next_stack
	mov %eax, %esp
	call other
1:	cli
	hlt
	jmp 1b

/* A guest that starts no others. */
	.weak other
other:
	ret

	.data
	.p2align 3
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_end:
next_stack:
	.long others_stacks_end

	.bss
	.p2align 4
	.skip STACK
stack_end:
	.skip 64 * STACK
others_stacks_end:
	.section .note.GNU-stack, "", @progbits
