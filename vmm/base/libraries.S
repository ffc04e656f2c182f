/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of libraries.def: each goes where its slot says, which at first is back here. */
#include <cet.h>

	.text
/* A first call, of slot %r11: goes on as if the library had been there, with all that registers pass; %al is that of calls
 * with any number of arguments. */
first_call:
	push %rbp
	mov %rsp, %rbp
	push %rax
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %r8
	push %r9
	push %r11
	sub $128, %rsp
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7
	movaps %xmm\number, 16*\number(%rsp)
	.endr
	mov %r11, %rdi
	call library_first_call
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7
	movaps 16*\number(%rsp), %xmm\number
	.endr
	add $128, %rsp
	pop %r11
	pop %r9
	pop %r8
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	pop %rax
	pop %rbp
	jmp *(%r11)

#define LIBRARY(name)
#define FUNCTION(library, name)                                                                    \
	.globl name; .hidden name; .type name, @function; .balign 16;                              \
name:	_CET_ENDBR; jmp *.Lslot_##name(%rip);                                                       \
.Lfirst_##name: _CET_ENDBR; lea .Lslot_##name(%rip), %r11; jmp first_call;                           \
	.size name, . - name;
#include "vmm/base/libraries.def"
#undef FUNCTION

	.section .data.rel.ro, "aw"
	.balign 4096
	.globl library_slots
	.hidden library_slots
library_slots:
#define FUNCTION(library, name) .Lslot_##name: .quad .Lfirst_##name;
#include "vmm/base/libraries.def"
#undef FUNCTION
#undef LIBRARY
	.balign 4096

/* What is not among those that the program is linked with, for tools that look for it there:
 * https://uapi-group.org/specifications/specs/elf_dlopen_metadata */
	.section .note.dlopen, "a", @note
	.balign 4
#define FUNCTION(library, name)
#define LIBRARY(name)                                                                              \
	.long 4, 2f - 1f, 0x407c0c0a; .asciz "FDO";                                                \
1:	.ascii "[{\"soname\":[\""; .ascii SONAME_##name; .asciz "\"],\"priority\":\"required\"}]"; 2:  \
	.balign 4;
#include "vmm/base/libraries.def"

	.section .note.GNU-stack, "", @progbits
