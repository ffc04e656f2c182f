/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that toggles the CR0 flag it owns at every step, and the one kept in the shadow at every 64th,
 * and looks at both each time: whatever else runs on the processor, nobody else's flag may show. Exit
 * status 0, or 1 at the first wrong value. Run as two VMs with opposite owners.
 */
#include "guestfw/abi.h"

/* Where every access of CR0 exits because one flag is masked, fewer have to do. */
#define STEPS 100000
#define STEPS_INTERCEPTED 25000
#define KEPT_EVERY 64
#define FLAGS (SS_CR0_TS | SS_CR0_MP)

static uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static void write_cr0(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static _Noreturn void leave(uint8_t status)
{
	__asm__ volatile("outb %0, %1" : : "a"(status), "Nd"((uint16_t)SS_PORT_EXIT));
	for (;;)
		__asm__ volatile("cli; hlt");
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *context,
							      uint64_t index);
_Noreturn void _start(struct ss_context *context, uint64_t index)
{
	const struct ss_vcpu_page *page = (const void *)(context->vcpu_page_gpa + 4096 * index);
	uint64_t owned = page->cr0.words[0] & FLAGS, kept = FLAGS & ~owned, seen = SS_CR0_BASE;

	uint32_t steps = context->flags & SS_CONTEXT_VMMCALL ? STEPS_INTERCEPTED : STEPS;

	if (owned == 0 || kept == 0)
		leave(2); /* not how this test is to be run */
	for (uint32_t i = 0; i < steps; i++) {
		if (read_cr0() != seen)
			leave(1);
		seen ^= owned;
		if (i % KEPT_EVERY == 0)
			seen ^= kept;
		write_cr0(seen);
	}
	leave(read_cr0() != seen);
}
