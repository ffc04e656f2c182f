/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first process of a lab runs this where the state of the lab is saved: each emulator has a port that stops it behind
 * the instruction, if so asked, and does nothing with the other's. There is nothing of the C library, as a state has room
 * for hardly anything, and the same bytes come from every compiler.
 */
#include <asm/unistd_64.h>

#define PVPANIC_PORT 0x505	/* QEMU's docs/specs/pvpanic.txt: bit 0 says that the guest has panicked */
#define BOCHS_PORT 0x8900	/* Bochs' iodev/unmapped.cc: D asks for its debugger */

	.globl _start
_start:
	mov $__NR_ioperm, %eax
	mov $PVPANIC_PORT, %edi
	mov $1, %esi
	mov $1, %edx
	syscall
	mov $__NR_ioperm, %eax
	mov $BOCHS_PORT, %edi
	syscall
	mov $1, %eax
	mov $PVPANIC_PORT, %edx
	out %al, %dx
	mov $'D', %eax
	mov $BOCHS_PORT, %edx
	out %al, %dx
	mov $__NR_exit, %eax
	xor %edi, %edi
	syscall

	.section .note.GNU-stack, "", %progbits
