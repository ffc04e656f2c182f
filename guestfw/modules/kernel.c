/* SPDX-License-Identifier: MIT */
/* The kernel: what it sets up before the drivers run, what it does for them, and what it does about them. */
#include "kernel.h"

#define FAULT_IST 1
#define TSS_IST1 36
#define GATES 32
#define ENTRY_SIZE 16
#define INTERRUPT_GATE 0x8e00ull

_Static_assert(HYPERCALL_VIEW == SS_HYPERCALL_VIEW && SS_REQUEST_VMFUNC == 4 &&
		       sizeof(struct ss_request) == 64,
	       "as gate.S has it");

struct descriptor_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct idt_gate {
	uint64_t low, high;
};

struct ss_context *context;
struct ss_vcpu_page *page;
struct fault last_fault;
volatile uint64_t kernel_secret = KERNEL_SECRET;
volatile uint64_t kernel_sum;

extern const uint8_t fault_entries[];
extern uint8_t fault_stack_end[];
extern uint64_t view_tag;
extern uint8_t driver_a_tables[TABLES_SIZE], driver_b_tables[TABLES_SIZE];

/* In pages that drivers can read and not write. */
static __attribute__((section(".common"))) struct idt_gate idt[GATES] = {{0, 0}};

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

int32_t request(enum ss_request_number number)
{
	struct ss_request *req = &page->request;

	req->size = sizeof(*req);
	req->number = number;
	out32(SS_PORT_CONTROL, (uint32_t)(uint64_t)req);
	return req->status;
}

_Noreturn void finish(uint8_t status)
{
	out8(SS_PORT_EXIT, status);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static struct idt_gate gate_to(uint64_t address)
{
	return (struct idt_gate){
		.low = (address & 0xffff) | (uint64_t)SS_SEL_CODE << 16 | (uint64_t)FAULT_IST << 32 |
		       INTERRUPT_GATE << 32 | (address >> 16 & 0xffff) << 48,
		.high = address >> 32,
	};
}

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
	const struct descriptor_table table = {sizeof(idt) - 1, (uint64_t)idt};
	uint64_t stack = (uint64_t)fault_stack_end;

	for (unsigned i = 0; i < GATES; i++)
		idt[i] = gate_to((uint64_t)fault_entries + i * ENTRY_SIZE);
	__builtin_memcpy((uint8_t *)tss_base() + TSS_IST1, &stack, sizeof(stack));
	__asm__ volatile("lidt %0" : : "m"(table));
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

uint64_t kernel_serve(uint64_t function, uint64_t x)
{
	if (function != KERNEL_COUNT)
		return (uint64_t)CALL_UNKNOWN;
	kernel_sum += x;
	return kernel_sum;
}

/* Something that only the kernel may decide to do. */
uint64_t kernel_middle(void)
{
	kernel_secret = 0;
	return GOT_AWAY;
}

static _Noreturn void give_up(void)
{
	page->request.arg[0] = last_fault.vector;
	page->request.arg[1] = last_fault.rip;
	page->request.arg[2] = last_fault.error_code;
	page->request.arg[3] = last_fault.address;
	request(SS_REQUEST_FATAL);
	finish(1);
}

/* Returns if the call that the kernel has under way is to be given up: it then answers CALL_KILLED. Not
 * static: called by the entry. */
void kernel_fault(uint64_t vector, uint64_t error_code, uint64_t rip, uint64_t address, uint64_t sender);
void kernel_fault(uint64_t vector, uint64_t error_code, uint64_t rip, uint64_t address, uint64_t sender)
{
	extern uint8_t kernel_stack_end[], *kernel_saved;
	static uint32_t told;
	int new = page->violation.sequence != told;

	told = page->violation.sequence;
	last_fault = (struct fault){
		.count = last_fault.count + 1,
		.vector = (uint32_t)vector,
		.error_code = error_code,
		.rip = rip,
		.address = address,
		.sender = sender,
		.confirmed = new && page->violation.view == sender,
	};
	if (sender == VIEW_KERNEL || kernel_saved == kernel_stack_end)
		give_up();
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
	if (context->magic != SS_ABI_MAGIC || request(SS_REQUEST_HELLO) != 0 || !has_views())
		finish(1);
	view_tag = context->window_gpa + 4096 * SS_WINDOW_TAG;
	install_faults();
	/* After the stack of exceptions has its place in the TSS. */
	copy_tables(driver_a_tables);
	copy_tables(driver_b_tables);
	finish(demonstrate());
}
