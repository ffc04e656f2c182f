/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets CR0.TS, clears it and sets it again, as the guest sees it, and asks the processor by an
 * instruction of the FPU where it is. Ends with 10: nowhere but where the guest reads it; 11: in the
 * register; 12: not even where the guest reads it.
 */
#include "guest.inc"
#include "gate.inc"

	.section .bss
	.p2align 6
area:	.fill 512, 1, 0
idt:	.fill 16 * 16, 1, 0
	.section .data
idt_descriptor:
	.word 16 * 16 - 1
	.quad idt
	.section .text.start
	GATE 7, on_absent
	lidt idt_descriptor
	mov $3, %ecx
1:	mov %cr0, %rax
	xor $8, %eax
	mov %rax, %cr0
	dec %ecx
	jnz 1b
	mov %cr0, %rax
	test $8, %al
	jnz 2f
	EXIT 12
2:	fxsave area
	EXIT 10
on_absent:
	EXIT 11
