/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the beginning, the middle and the end of a disk, however large it is, 64 KiB at a time or all of it, and
 * reads them back. Ends with status 0, or that of the first command that is not done; 9 if there is no disk, 11 if
 * something can be written behind its end, 12 if what is read is not what was written.
 */
#include "guest.inc"
#include "gate.inc"
#include "service.inc"

#define R SS_RIGHT_READ
#define W SS_RIGHT_WRITE
#define SIZE 65536
#define SECTOR_SIZE 512

/* Registers, commands and statuses of the disk. */
#define BUFFER 0
#define OFFSET 1
#define SECTOR 2
#define COUNT 3
#define COMMAND 5
#define STATUS 6
#define SECTORS 7
#define READ 1
#define WRITE 2
#define DONE 1
#define BAD_SECTOR 6

.macro SET register, value
	mov \value, %eax
	mov $SS_PORT_DISK + 4 * \register, %edx
	out %eax, %dx
.endm

.macro GET register
	mov $SS_PORT_DISK + 4 * \register, %edx
	in %dx, %eax
.endm

.macro TRANSFER number, handle
	SET BUFFER, \handle
	SET COMMAND, $\number
	GET STATUS
	cmp $DONE, %eax
	jne ended
.endm

	SERVICES
	GET SECTORS
	mov %eax, %r15d
	inc %eax
	jnz 1f
	EXIT 9
1:	INVOKE SERVICE_PIN, R, to_disk, SIZE
	mov %eax, %r13d
	INVOKE SERVICE_PIN, W, from_disk, SIZE
	mov %eax, %r14d
	mov $SIZE / SECTOR_SIZE, %r12d
	cmp %r15d, %r12d
	cmova %r15d, %r12d
	SET OFFSET, $0
	SET COUNT, %r12d

	xor %ebp, %ebp
	call there_and_back
	mov %r15d, %ebp
	sub %r12d, %ebp
	shr $1, %ebp
	call there_and_back
	mov %r15d, %ebp
	sub %r12d, %ebp
	call there_and_back

	inc %ebp
	SET SECTOR, %ebp
	SET COMMAND, $WRITE
	GET STATUS
	cmp $BAD_SECTOR, %eax
	je 1f
	EXIT 11
1:	EXIT 0

/* From sector EBP on, which is what the first word says too. */
there_and_back:
	mov %r12d, %ecx
	shl $6, %ecx /* words of 8 bytes in that many sectors */
	mov %ebp, %eax
1:	mov %rax, to_disk - 8(, %rcx, 8)
	add $0x1234567, %rax
	loop 1b
	SET SECTOR, %ebp
	TRANSFER WRITE, %r13d
	TRANSFER READ, %r14d
	mov %r12d, %ecx
	shl $6, %ecx
	mov $to_disk, %esi
	mov $from_disk, %edi
	repe cmpsq
	je 1f
	EXIT 12
1:	ret

ended:	out %al, $SS_PORT_EXIT
1:	jmp 1b

	.section .bss
	.p2align 12
to_disk:
	.fill SIZE, 1, 0
from_disk:
	.fill SIZE, 1, 0
	.fill 4096, 1, 0
