/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Under ve.views and with --on-violation inject, where violations can be #VE: which of them are, what the processor
 * says of them, and that the others are page faults, which it takes an exit to have.
 */
#include "guest.h"

#define PF 14
#define VE 20
#define REASON_VIOLATION 48
#define QUALIFICATION_READ 1u
#define NOWHERE 0x90000000u /* the guest has no memory there */
#define SECRET 0x5ec7e7

__attribute__((aligned(4096))) volatile uint64_t secret[512] = {SECRET};
__attribute__((aligned(4096))) volatile uint64_t quiet[512] = {1};

/* Continue at r14, with the vector in r11. */
__asm__(".text\n"
	"virtualization:\n"
	"	mov $20, %r11d\n"
	"	mov %r14, (%rsp)\n"
	"	iretq\n"
	"page_fault:\n"
	"	mov $14, %r11d\n"
	"	add $8, %rsp\n"
	"	mov %r14, (%rsp)\n"
	"	iretq\n");

extern const uint8_t virtualization[], page_fault[];

static uint64_t vector_of_load(uint64_t address)
{
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("lea 1f(%%rip), %%r14; mov (%1), %%rax; 1:"
			 : "+r"(vector)
			 : "r"(address)
			 : "r14", "rax", "memory");
	return vector;
}

static uint64_t vector_of_store(uint64_t address)
{
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("lea 1f(%%rip), %%r14; movq $0, (%1); 1:" : "+r"(vector) : "r"(address) : "r14", "memory");
	return vector;
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given, uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	static struct idt_gate idt[VE + 1];
	volatile struct ss_ve *ve = (void *)(given->ve_gpa + 4096 * index);
	const uint64_t at = (uint64_t)secret;

	context = given;
	idt[PF] = idt_gate((uint64_t)page_fault, 0);
	idt[VE] = idt_gate((uint64_t)virtualization, 0);
	load_idt(idt, VE + 1);
	check(1, given->ve_gpa != 0);
	switch_to(1);
	check(2, vector_of_load(at) == VE);
	check(3, ve->reason == REASON_VIOLATION && ve->busy == UINT32_MAX);
	check(4, ve->gpa == at && ve->gva == at && ve->view == 1);
	check(5, ve->qualification & QUALIFICATION_READ);
	/* As long as nobody has taken that, the next one exits. */
	check(6, vector_of_load(at + 8) == PF && ve->gpa == at);
	ve->busy = 0;
	check(7, vector_of_store(at + 16) == VE && ve->gpa == at + 16);
	ve->busy = 0;
	/* Where the view suppresses it, and where there is nothing, it is no #VE. */
	check(8, vector_of_load((uint64_t)quiet) == 0);
	check(9, vector_of_store((uint64_t)quiet) == PF);
	check(10, vector_of_load(NOWHERE) == 0);
	check(11, ve->busy == 0);
	switch_to(0);
	check(12, secret[0] == SECRET && secret[2] == 0 && quiet[0] == 1);
	leave(0);
}
