/* SPDX-License-Identifier: MIT */
/*
 * A kernel and a service that keeps a secret from it, each in its own view. They call each other through a
 * gate (gate.S), a hundred times; then each tries what its view forbids. The views are those of
 * examples/trampoline.views: sidestep run --views examples/trampoline.views GUEST.
 */
#include "layout.h"

#define CALLS 100
#define VECTOR_UD 6
#define SERVICE_TEXT __attribute__((section(".service.text"), noinline))
#define SERVICE_DATA __attribute__((section(".service.data")))

__asm__(".section .text.start, \"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	cld\n"
	"	call kernel_main\n"
	".text\n");

uint64_t call_service(uint64_t command, uint64_t argument);
extern const uint8_t on_undefined[];

struct interrupt_gate {
	uint64_t low, high;
};

/* The service sees this table, because the processor reads it, but cannot write it. */
__attribute__((section(".idt"), aligned(4096))) static struct interrupt_gate idt[256];

/* Page tables and descriptors of the service: its view shows them where the VMM has put the kernel's.
 * Whoever writes page tables decides what code follows a VMFUNC, so nobody shall write another's. */
extern uint8_t service_tables[10 * 4096];
__attribute__((section(".service.tables"), aligned(4096))) uint8_t service_tables[10 * 4096];

static volatile uint64_t kernel_word = 1;

SERVICE_DATA static volatile uint64_t secret = 0x5ec2e7;
SERVICE_DATA static volatile uint64_t sum = 0;

/* The service: what it may use is in its own sections. */
SERVICE_TEXT uint64_t service_main(uint64_t command, uint64_t argument);
SERVICE_TEXT uint64_t service_main(uint64_t command, uint64_t argument)
{
	if (command == COMMAND_STEAL)
		kernel_word = argument;
	else
		sum += argument;
	return sum + secret;
}

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void say(const char *text)
{
	for (; *text; text++)
		out8(SS_PORT_DEBUG, (uint8_t)*text);
}

static _Noreturn void finish(uint8_t status)
{
	out8(SS_PORT_EXIT, status);
	for (;;)
		__asm__ volatile("cli; hlt");
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

static void prepare(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) descriptor = {sizeof(idt) - 1, (uint64_t)idt};
	uint64_t handler = (uint64_t)on_undefined;
	uint64_t tables;

	idt[VECTOR_UD].low = (handler & 0xffff) | SS_SEL_CODE << 16 | 0x8e00ull << 32 |
			     (handler >> 16 & 0xffff) << 48;
	idt[VECTOR_UD].high = handler >> 32;
	__asm__ volatile("lidt %0" : : "m"(descriptor) : "memory");
	/* The region "boot" begins with the page tables that CR3 leads to. */
	__asm__ volatile("mov %%cr3, %0" : "=r"(tables));
	copy(service_tables, tables, sizeof(service_tables));
}

_Noreturn void kernel_main(struct ss_context *context, uint64_t index);
_Noreturn void kernel_main(struct ss_context *context, uint64_t index)
{
	uint64_t expected = 0x5ec2e7, wrong = 0;

	if (index != 0)
		for (;;)
			__asm__ volatile("cli; hlt");
	check(context->view_count == 2, "there are two views");
	prepare();
	for (uint64_t i = 1; i <= CALLS; i++) {
		expected += i;
		wrong += call_service(COMMAND_ADD, i) != expected;
	}
	check(wrong == 0, "the service answered 100 calls");
	check(secret == UINT64_MAX, "the kernel cannot read the service's secret");
	check(call_service(COMMAND_STEAL, 2) == expected, "the service went on after its own attempt");
	check(kernel_word == 1, "the service cannot write the kernel's memory");
	finish(0);
}
