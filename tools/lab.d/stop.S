/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first process of a lab runs this where the state of the lab is saved: each emulator has a port that stops it, if so
 * asked, and does nothing with the other's. There is nothing of the C library, as a state has room for hardly anything,
 * and the same bytes come from every compiler.
 *
 * Bochs stops behind the instruction. QEMU must not: its main loop would find a processor that stands still in a computer
 * that runs, take it for idle, and advance the clock to the next timer, or not, if it is late. A watchdog that is due at
 * once has the main loop stop the computer while the processor goes on, somewhere in a loop, which is there if there is an
 * argument; what is left of it is done after a restore, so that as many instructions are executed as without.
 */
#include <asm/unistd_64.h>

#define WATCHDOG_PORT 0x443	/* QEMU's hw/watchdog/wdt_ib700.c: the last value is that of 0 seconds */
#define WATCHDOG_NOW 15
#define BOCHS_PORT 0x8900	/* Bochs' iodev/unmapped.cc: D asks for its debugger */
#define ROUNDS 100000000	/* some tenths of a second */

	.globl _start
_start:
	mov $__NR_ioperm, %eax
	mov $WATCHDOG_PORT, %edi
	mov $1, %esi
	mov $1, %edx
	syscall
	mov $__NR_ioperm, %eax
	mov $BOCHS_PORT, %edi
	syscall
	mov $'D', %eax
	mov $BOCHS_PORT, %edx
	out %al, %dx
	cmpl $1, (%rsp)
	je 2f
	mov $WATCHDOG_NOW, %eax
	mov $WATCHDOG_PORT, %edx
	out %al, %dx
	mov $ROUNDS, %ecx
1:	dec %ecx
	jnz 1b
2:	mov $__NR_exit, %eax
	xor %edi, %edi
	syscall

	.section .note.GNU-stack, "", %progbits
