/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers and a disk of 16 sectors: everything that is refused, then sectors 0 to 7 are moved, every byte
 * inverted, to sectors 8 to 15. Ends with status 9 if there is no disk, 8 if it cannot be written.
 */
#include "guest.inc"
#include "gate.inc"
#include "service.inc"

#define R SS_RIGHT_READ
#define W SS_RIGHT_WRITE
#define ALL 0xffffffff
#define VECTOR 0x60

/* Registers, commands and statuses of the disk. */
#define BUFFER 0
#define OFFSET 1
#define SECTOR 2
#define COUNT 3
#define INTERRUPT 4
#define STATUS 6
#define SECTORS 7
#define READ 1
#define WRITE 2
#define DONE 1
#define BAD_VECTOR 2
#define BAD_COMMAND 3
#define READ_ONLY 4
#define BAD_COUNT 5
#define BAD_SECTOR 6
#define BAD_BUFFER 7
#define BAD_ACCESS 8
#define BAD_OFFSET 9

.macro SET register, value
	mov \value, %eax
	mov $SS_PORT_DISK + 4 * \register, %edx
	out %eax, %dx
.endm

.macro GET register
	mov $SS_PORT_DISK + 4 * \register, %edx
	in %dx, %eax
.endm

.macro COMMAND number, wanted
	SET 5, $\number
	GET STATUS
	cmp $\wanted, %eax
	je 1f
	EXIT 6
1:
.endm

/* A command with one register at a bad value. */
.macro BAD register, value, good, number, wanted
	SET \register, $\value
	COMMAND \number, \wanted
	SET \register, $\good
.endm

	SERVICES
	GATE VECTOR, on_interrupt
	GET SECTORS
	cmp $-1, %eax
	jne 1f
	EXIT 9
1:	cmp $16, %eax
	jne bad
	SET 5, $WRITE
	GET STATUS
	cmp $READ_ONLY, %eax
	jne 1f
	EXIT 8
1:	cmp $BAD_COUNT, %eax
	jne bad

	/* Buffers that there cannot be. */
	mov CONTEXT_MEMORY_SIZE(%rdi), %r12
	SERVICE -EINVAL, SERVICE_PIN, R, buffer, 0
	SERVICE -EINVAL, SERVICE_PIN, R, buffer, 4095
	SERVICE -EINVAL, SERVICE_PIN, R, buffer+1, 4096
	SERVICE -EINVAL, SERVICE_PIN, 0, buffer, 4096
	SERVICE -EINVAL, SERVICE_PIN, 4, buffer, 4096
	SERVICE -EINVAL, SERVICE_PIN, 7, buffer, 4096
	SERVICE -EINVAL, SERVICE_PIN, R, buffer, 0xffffffffffffffff
	SERVICE -EFAULT, SERVICE_PIN, R, buffer, 0xfffffffffffff000
	SERVICE -EFAULT, SERVICE_PIN, R, 0xfffffffffffff000, 4096
	SERVICE -EFAULT, SERVICE_PIN, R, 0xfffffffffffff000, 8192
	SERVICE -EFAULT, SERVICE_PIN, R, SS_MMIO_GPA, 4096
	SERVICE -EFAULT, SERVICE_PIN, R, buffer, 0x100000000
	mov $SERVICE_PIN, %eax
	mov $R, %ecx
	lea -4096(%r12), %rdx
	mov $8192, %ebx
	vmfunc
	cmp $-EFAULT, %rax
	jne bad
	SERVICE -ENOENT, SERVICE_UNPIN, 0
	SERVICE -ENOENT, SERVICE_UNPIN, 1
	SERVICE -ENOENT, SERVICE_UNPIN, 0x101
	SERVICE -ENOENT, SERVICE_UNPIN, 0x7fffffff

	/* Nothing is pinned. */
	SET COUNT, $1
	COMMAND READ, BAD_BUFFER
	BAD BUFFER, ALL, 0, READ, BAD_BUFFER
	BAD BUFFER, buffer, 0, READ, BAD_BUFFER

	/* Two buffers, the second for devices to read only. */
	INVOKE SERVICE_PIN, R|W, buffer, 4096
	cmp $0, %rax
	jle bad
	mov %eax, %r13d
	SERVICE -EEXIST, SERVICE_PIN, R, buffer, 4096
	SERVICE -EEXIST, SERVICE_PIN, R, buffer-4096, 8192
	INVOKE SERVICE_PIN, R, buffer+4096, 4096
	cmp $0, %rax
	jle bad
	mov %eax, %r14d
	cmp %r13d, %r14d
	je bad

	SET BUFFER, %r13d
	SET COUNT, $8
	BAD SECTOR, 9, 0, READ, BAD_SECTOR
	BAD SECTOR, ALL, 0, READ, BAD_SECTOR
	BAD COUNT, 0, 8, READ, BAD_COUNT
	BAD COUNT, 9, 8, READ, BAD_OFFSET
	BAD COUNT, 17, 8, READ, BAD_SECTOR
	BAD COUNT, ALL, 8, WRITE, BAD_SECTOR
	BAD COUNT, 0x800000, 8, WRITE, BAD_SECTOR
	BAD OFFSET, 1, 0, READ, BAD_OFFSET
	BAD OFFSET, 4096, 0, WRITE, BAD_OFFSET
	BAD OFFSET, ALL, 0, READ, BAD_OFFSET
	BAD OFFSET, 0xfffff000, 0, WRITE, BAD_OFFSET
	BAD INTERRUPT, 31, 0, READ, BAD_VECTOR
	BAD INTERRUPT, 256, 0, READ, BAD_VECTOR
	BAD INTERRUPT, ALL, 0, READ, BAD_VECTOR
	COMMAND 0, BAD_COMMAND
	COMMAND 3, BAD_COMMAND
	COMMAND ALL, BAD_COMMAND
	SET BUFFER, %r14d
	COMMAND READ, BAD_ACCESS
	/* Several at once, and parts of registers, are no commands. */
	SET BUFFER, %r13d
	mov $READ, %eax
	mov $SS_PORT_DISK + 20, %edx
	out %al, %dx
	out %ax, %dx
	inc %edx
	out %eax, %dx
	GET STATUS
	cmp $BAD_ACCESS, %eax
	jne bad
	cmpl $0, buffer
	jne bad

	/* The work, with an interrupt at each end: it comes at once, or when it is delivered again. */
	SET INTERRUPT, $VECTOR
	sti
	COMMAND READ, DONE
	cli
	cmpl $1, interrupts
	jne bad
	mov $4096, %ecx
1:	notb buffer - 1(%rcx)
	loop 1b
	SET SECTOR, $8
	SERVICE 0, SERVICE_INTERRUPT, VECTOR, HOLD
	sti
	SET 5, $WRITE
	SET 5, $WRITE
	cli
	GET STATUS
	cmp $DONE, %eax
	jne bad
	cmpl $1, interrupts
	jne bad
	SERVICE 0, SERVICE_INTERRUPT, VECTOR, DELIVER
	sti
	nop
	REQUEST 5, 0
	cli
	cmpl $2, interrupts
	jne bad

	/* A buffer that was given back is none, and neither is its handle. */
	mov $SERVICE_UNPIN, %eax
	mov %r13d, %ecx
	vmfunc
	test %rax, %rax
	jne bad
	SET INTERRUPT, $0
	COMMAND READ, BAD_BUFFER
	INVOKE SERVICE_PIN, W, buffer, 4096
	cmp %r13, %rax
	je bad
	SET SECTOR, $0
	COMMAND READ, BAD_BUFFER
	EXIT 0
bad:	EXIT 4

on_interrupt:
	incl interrupts
	iretq

	.section .data
	.p2align 2
interrupts:
	.long 0
	.section .bss
	.p2align 12
	.fill 4096, 1, 0
buffer:	.fill 8192, 1, 0
