/* SPDX-License-Identifier: MIT */
/* Routines for interrupts, pinned buffers and the disk. They run with interrupts on where one may come:
 * it is taken at the exit that raises it, so that no window has to be waited for. */
#include "routine.inc"

/* int64_t io_invoke(number, index, first, second): RAX of the service, -1 if it raised an exception. */
	.text
	.p2align 4
	.globl io_invoke
io_invoke:
	push %rbx
	mov %rcx, %rbx
	mov %edi, %eax
	mov %esi, %ecx
1:	vmfunc
	jmp 3f
2:	mov $-1, %rax
3:	pop %rbx
	ret
	FIXUP 1b, 2b

/* The request at rbx: raises the vector that it names. */
.macro RAISE
	mov %ebx, %eax
	mov $SS_PORT_CONTROL, %edx
	out %eax, %dx
.endm

OPERATION interrupt_raise
	mov FRAME_ADDRESS(%r15), %rbx
	sti
	LOOP
	RAISE
	END_LOOP
	cli
	movq $0, FRAME_VALUE(%r15)
LEAVE interrupt_raise

.macro SET_DISPOSITION disposition
	mov $NUMBER_SERVICE_INTERRUPT, %eax
	mov %r13d, %ecx
	mov $\disposition, %edx
	vmfunc
.endm

/* Held, and delivered again, with nothing pending. */
OPERATION interrupt_set
	movzx %r13b, %r13d
	LOOP
	SET_DISPOSITION NUMBER_INTERRUPT_HOLD
	SET_DISPOSITION NUMBER_INTERRUPT_DELIVER
	END_LOOP
	mov %r9, FRAME_VALUE(%r15)
LEAVE interrupt_set

/* Held, raised twice, and let go. */
OPERATION interrupt_release
	mov FRAME_ADDRESS(%r15), %rbx
	movzx %r13b, %r13d
	sti
	LOOP
	SET_DISPOSITION NUMBER_INTERRUPT_HOLD
	RAISE
	RAISE
	SET_DISPOSITION NUMBER_INTERRUPT_DELIVER
	END_LOOP
	cli
	movq $0, FRAME_VALUE(%r15)
LEAVE interrupt_release

/* Pinned and given back; what is refused is not given back. Address and length in the frame as operand
 * and what to store, access as what to flip. */
OPERATION pin
	mov FRAME_STORE(%r15), %rbx
	LOOP
	mov $NUMBER_SERVICE_PIN, %eax
	mov FRAME_FLIP(%r15), %ecx
	mov FRAME_ADDRESS(%r15), %rdx
2:	vmfunc
	test %rax, %rax
	jle 3f
	mov %eax, %ecx
	mov $NUMBER_SERVICE_UNPIN, %eax
4:	vmfunc
3:	END_LOOP
	FIXUP 2b, 3b
	FIXUP 4b, 3b
	mov %r9, FRAME_VALUE(%r15)
LEAVE pin

/* The registers have been filled, all but the command. */
OPERATION disk
	movzx %r13b, %r13d
	sti
	LOOP
	mov %r13d, %eax
	mov $SS_PORT_DISK + 4 * NUMBER_DISK_REG_COMMAND, %edx
	out %eax, %dx
	add $4 * (NUMBER_DISK_REG_STATUS - NUMBER_DISK_REG_COMMAND), %edx
	in %dx, %eax
	END_LOOP
	cli
	mov %r9, FRAME_VALUE(%r15)
LEAVE disk

	.section .note.GNU-stack, "", @progbits
