/* SPDX-License-Identifier: MIT */
/* What the kernel sets up before the drivers run. */
#include "kernel.h"

#define FAULT_IST 1
#define TSS_IST1 36
#define GATES 32

/* Where the VMM starts every vCPU. */
__asm__(".text\n"
	".globl _start\n"
	"_start:\n"
	"	cld\n"
	"	call kernel_main\n"
	"1:	cli\n"
	"	hlt\n"
	"	jmp 1b\n");

extern const uint8_t fault_entries[];
extern uint8_t fault_stack_end[];
extern uint64_t tag_page;
extern uint8_t driver_a_tables[TABLES_SIZE], driver_b_tables[TABLES_SIZE];

/* In pages that drivers can read and not write. */
static __attribute__((section(".common"))) struct idt_gate idt[GATES] = {{0, 0}};

/* Base of the TSS, from its descriptor (Intel SDM vol. 3A, 8.2.3). */
static uint64_t tss_base(void)
{
	struct descriptor_table gdt;
	const uint64_t *descriptor;
	uint16_t selector;

	__asm__ volatile("sgdt %0" : "=m"(gdt));
	__asm__ volatile("str %0" : "=r"(selector));
	descriptor = (const uint64_t *)(gdt.base + selector);
	return (descriptor[0] >> 16 & 0xffffff) | (descriptor[0] >> 56 << 24) | descriptor[1] << 32;
}

/* Every exception goes to the gate's page, on a stack that it finds in every view: a driver's own may be
 * what is wrong. */
static void install_faults(void)
{
	uint64_t stack = (uint64_t)fault_stack_end;

	for (unsigned i = 0; i < GATES; i++)
		idt[i] = idt_gate((uint64_t)fault_entries + i * VECTOR_ENTRY_SIZE, FAULT_IST);
	__builtin_memcpy((uint8_t *)tss_base() + TSS_IST1, &stack, sizeof(stack));
	load_idt(idt, GATES);
}

/* A driver that could write the page tables of another view would be able to say there what is where. Its
 * view shows it a copy in their place, which it may do with as it likes. They begin with what CR3 says. */
static void copy_tables(uint8_t *copy)
{
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	for (unsigned i = 0; i < TABLES_SIZE; i++)
		copy[i] = ((const volatile uint8_t *)cr3)[i];
}

static int has_views(void)
{
	if (context->view_count == VIEWS)
		return 1;
	say("modules: this guest needs its views: --views examples/kernel-drivers.views");
	say_line();
	return 0;
}

/* The context area and the index of the vCPU, as the VMM hands them over. */
void kernel_main(struct ss_context *given, uint64_t index);
void kernel_main(struct ss_context *given, uint64_t index)
{
	/* One fault stack, one caller at a time: the other vCPUs are parked. */
	if (index != 0)
		return;
	context = given;
	page = (struct ss_vcpu_page *)context->vcpu_page_gpa;
	page->request.arg[0] = SS_ABI_VERSION;
	if (context->magic != SS_ABI_MAGIC || request(page, SS_REQUEST_HELLO) != 0 || !has_views())
		finish(1);
	tag_page = context->window_gpa + 4096 * SS_WINDOW_TAG;
	install_faults();
	/* After the stack of exceptions has its place in the TSS. */
	copy_tables(driver_a_tables);
	copy_tables(driver_b_tables);
	finish(demonstrate());
}
