/* SPDX-License-Identifier: MIT */
/*
 * A kernel and a service that keeps a secret from it, each in its own view. They call each other through a
 * gate (gate.S), a hundred times; then each tries what its view forbids. The views are those of
 * examples/trampoline.views: sidestep run --views examples/trampoline.views GUEST.
 */
#include "layout.h"

#define CALLS 100

__asm__(".section .text.start, \"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	cld\n"
	"	call kernel_main\n"
	".text\n");

/* The service sees this table, because the processor reads it, but cannot write it. */
__attribute__((section(".idt"), aligned(4096))) static struct idt_gate idt[256];

/* Page tables and descriptors of the service: its view shows them where the VMM has put the kernel's.
 * Whoever writes page tables decides what code follows a VMFUNC, so nobody shall write another's. */
extern uint8_t service_tables[10 * 4096];
__attribute__((section(".service.tables"), aligned(4096))) uint8_t service_tables[10 * 4096];

/* What the service shall not be able to write. */
static volatile uint64_t kernel_word = 1;

static void say(const char *text)
{
	for (; *text; text++)
		out8(SS_PORT_DEBUG, (uint8_t)*text);
}

static void check(int well, const char *what)
{
	say(well ? "ok: " : "FAILED: ");
	say(what);
	say("\n");
	if (!well)
		finish(1);
}

static void copy(void *to, uint64_t from, uint64_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void prepare_views(void)
{
	uint64_t tables;

	idt[VECTOR_UD] = idt_gate((uint64_t)on_undefined, 0);
	load_idt(idt, sizeof(idt) / sizeof(idt[0]));
	/* The region "boot" begins with the page tables that CR3 leads to. */
	__asm__ volatile("mov %%cr3, %0" : "=r"(tables));
	copy(service_tables, tables, sizeof(service_tables));
}

_Noreturn void kernel_main(struct ss_context *context, uint64_t index);
_Noreturn void kernel_main(struct ss_context *context, uint64_t index)
{
	uint64_t expected = SERVICE_SECRET, wrong = 0;

	if (index != 0)
		for (;;)
			__asm__ volatile("cli; hlt");
	check(context->view_count == 2, "there are two views");
	prepare_views();
	for (uint64_t i = 1; i <= CALLS; i++) {
		expected += i;
		wrong += call_service(COMMAND_ADD, i) != expected;
	}
	check(wrong == 0, "the service answered 100 calls");
	check(service_secret == UINT64_MAX, "the kernel cannot read the service's secret");
	check(call_service(COMMAND_STEAL, (uint64_t)&kernel_word) == expected,
	      "the service went on after its own attempt");
	check(kernel_word == 1, "the service cannot write the kernel's memory");
	finish(0);
}
