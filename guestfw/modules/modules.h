/* SPDX-License-Identifier: MIT */
/*
 * What the kernel and its two drivers agree on. Each has a view of its own; a call goes through the gate
 * in registers alone:
 *
 *	EDI	MESSAGE_*: a call, the answer to one, or a fault, with the vector in bits 15:8
 *	RSI	function that is called; value of an answer; error code of a fault
 *	RDX	operand of a call; RIP of a fault
 *	R9	CR2 of a fault
 *	R8	view it comes from, by its own account
 *	ECX	view it goes to
 *
 * All others are zero on arrival, but for RSP, which the entry of the receiver loads first.
 */
#ifndef MODULES_H
#define MODULES_H

/* In the order of examples/kernel-drivers.views. */
#define VIEW_KERNEL 0
#define VIEW_A 1
#define VIEW_B 2
#define VIEWS 3

#define MESSAGE_CALL 0
#define MESSAGE_ANSWER 1
#define MESSAGE_FAULT 2
#define MESSAGE_VECTOR_SHIFT 8

/* How the gate changes views. */
#define GATE_VMFUNC 0
#define GATE_VMCALL 1
#define GATE_VMMCALL 2

/* What an answer says that the kernel gives in place of a driver. */
#define CALL_KILLED (-14) /* -EFAULT */
#define CALL_UNKNOWN (-38) /* -ENOSYS: no such function */

/* SS_HYPERCALL_VIEW for assembly. */
#define HYPERCALL_VIEW 0x53530002

#define STACK_SIZE 4096
/* The region "boot": page tables, GDT and TSS, of which each driver gets a copy. */
#define TABLES_SIZE 0xa000

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Functions of the modules. */
enum {
	KERNEL_COUNT, /* x to the kernel's sum, which is the answer */
};
enum {
	A_ADD,   /* x to A's sum, which is the answer */
	A_CHAIN, /* the same, then B_CHAIN */
	A_WRITE_KERNEL,
	A_WRITE_DRIVER,
	A_JUMP_KERNEL,
	A_FORGE_ANSWER,
};
enum {
	B_CHAIN, /* x to B's sum, then KERNEL_COUNT */
	B_SUM,   /* says what it is */
};

/* What a driver answers that got away with what it must not do. */
#define GOT_AWAY 0x676f74

/* Each module's way out, in its own text, and its way in, called by its entry. */
uint64_t kernel_call(uint32_t view, uint64_t function, uint64_t x);
uint64_t driver_a_call(uint32_t view, uint64_t function, uint64_t x);
uint64_t driver_b_call(uint32_t view, uint64_t function, uint64_t x);
uint64_t kernel_serve(uint64_t function, uint64_t x);
uint64_t driver_a_serve(uint64_t function, uint64_t x);
uint64_t driver_b_serve(uint64_t function, uint64_t x);

/* The kernel's own, which a hostile driver goes for. */
extern volatile uint64_t kernel_secret;
uint64_t kernel_middle(void);
extern volatile uint64_t driver_b_sum;
#endif
#endif
