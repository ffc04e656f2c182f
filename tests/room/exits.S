/* SPDX-License-Identifier: GPL-2.0-only */
/* As many exits as the last word of the file says, and the one that ends the VM: a record of 48 bytes each. */
	.text
	.globl _start
_start:
	mov count, %ecx
	jrcxz 2f
1:	out %al, $0x80
	dec %ecx
	jnz 1b
2:	xor %eax, %eax
	out %al, $0xf4
	hlt
	.p2align 3
count:	.long 0
	.section .note.GNU-stack, "", @progbits
