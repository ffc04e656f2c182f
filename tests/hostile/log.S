/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts that are too long or not there. */
#include "guest.inc"
	mov CONTEXT_MEMORY_SIZE(%rdi), %rbx
	ARGUMENT 0, SS_IMAGE_GPA
	ARGUMENT 1, 1025
	REQUEST 8, -EMSGSIZE
	ARGUMENT 1, 0x7fffffffffffffff
	REQUEST 8, -EMSGSIZE
	ARGUMENT 1, 0xffffffffffffffff
	REQUEST 8, -EMSGSIZE
	ARGUMENT 1, 1024
	REQUEST 8, 0
	ARGUMENT 0, 0xffffffffffffffff
	REQUEST 8, -EFAULT
	ARGUMENT 0, 0x80000000
	REQUEST 8, -EFAULT
	lea -1023(%rbx), %rax
	mov %rax, request + 16
	REQUEST 8, -EFAULT
	lea -1024(%rbx), %rax
	mov %rax, request + 16
	REQUEST 8, 0
	ARGUMENT 0, text
	ARGUMENT 1, 3
	REQUEST 8, 0
	EXIT 0
text:	.ascii "end"
