/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two VMs of one run, configured in opposite ways: the first (with SWAPPED, the second) has the services `view`
 * and `map` and keeps TS in the shadow; the other one has `interrupt` only, owns TS, and keeps MP. Each sees its
 * own all the time, whatever the other one does meanwhile; where they share a vCPU, they yield it to each other. Exit
 * status 0, or the number of the check; 100 more in VM 1.
 */
#include "guest.h"

#ifdef SWAPPED
#define FIRST 1u
#else
#define FIRST 0u
#endif

#define NM 7
#define FLAGS (SS_CR0_TS | SS_CR0_MP)
/* Of flags; the first ones of services too. */
#ifndef ROUNDS
#define ROUNDS 64
#endif
#define SERVICE_ROUNDS 64

/* Beside those that are switched with a guest. */
static const uint32_t closed_msrs[] = {0x1b, 0x3a, 0x8b, 0x1a0, 0x277 + 1, 0x802, 0x6e0, 0xc0000103, 0xc0010117, 0x4b564d01};

static uint8_t fxsave_area[512] __attribute__((aligned(16)));
static volatile struct ss_flag_words *words;
static int first;

static void expect(uint8_t number, int holds)
{
	check((uint8_t)(number + 100 * context->vm_index), holds);
}

static void services(void)
{
	const uint64_t served = first ? 0 : UD;

	expect(1, invoke(SS_SERVICE_MAP, SS_WINDOW_SHARED, 0, ALL).vector == served);
	expect(2, invoke(SS_SERVICE_VIEW, 1, 0, 0).vector == served);
	/* Without the switch it is another page's. */
	expect(3, *window_page(SS_WINDOW_TAG) == (SS_VIEW_TAG | (first ? 1 : 0)));
	expect(4, invoke(SS_SERVICE_VIEW, 0, 0, 0).vector == served);
	expect(5, invoke(SS_SERVICE_INTERRUPT, 0x50, SS_INTERRUPT_HOLD, 0).vector == UD - served);
	expect(6, invoke(SS_SERVICE_PIN, 0, 0, 0).vector == UD);
}

static uint64_t read_cr0(void)
{
	uint64_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	return context->flags & SS_CONTEXT_MONITOR
		       ? cr0
		       : (cr0 & words->words[0]) | (words->shadow & ~words->words[0]);
}

/* Without a monitor the guest itself does by the words what one would do. */
static void write_cr0(uint64_t wanted)
{
	uint64_t cr0 = wanted;

	if (!(context->flags & SS_CONTEXT_MONITOR)) {
		words->shadow = wanted & ~words->words[0];
		cr0 = (SS_CR0_BASE & ~words->words[0]) | (wanted & words->words[0]);
	}
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

static uint64_t use_fpu(void)
{
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	fxsave (%1)\n"
			 "1:\n"
			 : "+r"(vector) : "r"(fxsave_area) : "r14", "memory");
	return vector;
}

static void flags(unsigned round)
{
	const uint64_t wanted = SS_CR0_BASE | (round & 1 ? SS_CR0_TS : 0) | (round & 2 ? SS_CR0_MP : 0);

	write_cr0(wanted);
	expect(11, use_fpu() == (wanted & SS_CR0_TS && !first ? NM : 0));
	expect(12, read_cr0() == wanted);
}

/* Returns whether another guest had the vCPU. */
static int yield(void)
{
	return context->flags & SS_CONTEXT_MONITOR &&
	       hypercall(SS_HYPERCALL_YIELD, 0, context->flags & SS_CONTEXT_VMMCALL) == 0;
}

static uint64_t write_msr(uint32_t index)
{
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	wrmsr\n"
			 "1:\n"
			 : "+r"(vector) : "c"(index), "a"(0), "d"(0) : "r14", "memory");
	return vector;
}

/* What nobody switches is closed to guests that share a vCPU. */
static void closed(void)
{
	for (unsigned i = 0; i < sizeof(closed_msrs) / sizeof(closed_msrs[0]); i++)
		expect(14, write_msr(closed_msrs[i]) == GP);
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	(void)index;
	context = given;
	words = &((struct ss_vcpu_page *)context->vcpu_page_gpa)->cr0;
	first = context->vm_index == FIRST;
	catch_exceptions();
	expect(10, (words->words[1] & FLAGS) == (first ? SS_CR0_TS : SS_CR0_MP) &&
			   (~words->words[0] & FLAGS) == (words->words[1] & FLAGS));
	expect(13, context->size >= sizeof(*context) &&
			   context->services.enabled == (first ? 3 : 1 << SS_SERVICE_INTERRUPT) &&
			   context->services.cpl0 == (first ? 2 : 1 << SS_SERVICE_INTERRUPT) &&
			   context->services.home == (first ? 2 : 0) && context->services.exits == 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (round < SERVICE_ROUNDS)
			services();
		flags(round);
		if (yield() && round == 0)
			closed();
	}
	leave(0);
}
