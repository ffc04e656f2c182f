/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LMSW and SMSW with their operand in memory, by every way that leads there: where a flag of CR0 is masked, on AMD they
 * exit, and somebody carries them out by their bytes. For a run with `--own none --shadow ts,mp`, and any other. Exit
 * status 0, or the number of the check.
 */
#include "guest.h"

#define PF 14
#define SS 12
#define PAGE 4096u
#define FLAGS (SS_CR0_MP | SS_CR0_TS)
#define BACK UINT64_C(0x8000000000)     /* these pages are there in reverse order, and none follows */
#define LAST UINT64_C(0x00007ffffffff000) /* the last page of the lower half */
#define PTE_ALL 0x67
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define FILL 0x5aa5u
#define UPPER UINT64_C(0xdead00000000)

static uint8_t pages[2][PAGE] __attribute__((aligned(4096)));
static uint64_t pdpt[512] __attribute__((aligned(4096))), pd[512] __attribute__((aligned(4096))),
	pt[512] __attribute__((aligned(4096)));
static volatile uint16_t word[3];

__asm__(".text\n"
	"page_fault:\n"
	"	mov $14, %r11d\n"
	"	jmp 1f\n"
	"stack_fault:\n"
	"	mov $12, %r11d\n"
	"1:\n"
	"	add $8, %rsp\n"
	"	mov %r14, (%rsp)\n"
	"	iretq\n");

extern const uint8_t page_fault[], stack_fault[];

static void catch_all(void)
{
	static struct idt_gate idt[PF + 1];

	idt[UD] = idt_gate((uint64_t)undefined, 0);
	idt[SS] = idt_gate((uint64_t)stack_fault, 0);
	idt[GP] = idt_gate((uint64_t)protected, 0);
	idt[PF] = idt_gate((uint64_t)page_fault, 0);
	load_idt(idt, PF + 1);
}

static uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

/* One table for both places. */
static void map_pages(void)
{
	uint64_t *root;

	__asm__ volatile("mov %%cr3, %0" : "=r"(root));
	root[BACK >> 39] = (uint64_t)pdpt | PTE_ALL;
	root[LAST >> 39] = (uint64_t)pdpt | PTE_ALL;
	pdpt[0] = pdpt[511] = (uint64_t)pd | PTE_ALL;
	pd[0] = pd[511] = (uint64_t)pt | PTE_ALL;
	pt[0] = (uint64_t)pages[1] | PTE_ALL;
	pt[1] = pt[511] = (uint64_t)pages[0] | PTE_ALL;
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

static void set_base(uint32_t msr, uint64_t base)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)) : "memory");
}

/* The instruction with its address in a register: the vector of what it raises, 0 if nothing. Label 1 is behind it. */
#define INSTRUCTION(name, text, reg) \
	static uint64_t name(uint64_t address) \
	{ \
		register uint64_t vector __asm__("r11") = 0; \
		register uint64_t at __asm__(reg) = address; \
\
		__asm__ volatile("lea 1f(%%rip), %%r14\n" \
				 text "\n1:" \
				 : "+r"(vector), "+r"(at) \
				 : \
				 : "rax", "r14", "memory"); \
		return vector; \
	}

INSTRUCTION(store, "smsw (%%rbx)", "rbx")
INSTRUCTION(load, "lmsw (%%rbx)", "rbx")
INSTRUCTION(store_near, "smsw -0x7f(%%r13)", "r13")
INSTRUCTION(load_near, "lmsw -0x7f(%%r13)", "r13")
INSTRUCTION(store_far, "smsw 0x12345(%%rdx)", "rdx")
INSTRUCTION(load_far, "lmsw 0x12345(%%rdx)", "rdx")
INSTRUCTION(store_scaled, "xor %%eax, %%eax\n smsw (%%rax,%%r12,2)", "r12")
INSTRUCTION(load_scaled, "xor %%eax, %%eax\n lmsw (%%rax,%%r12,2)", "r12")
INSTRUCTION(store_truncated, "smsw (%%ebx)", "rbx")
INSTRUCTION(load_truncated, "lmsw (%%ebx)", "rbx")
INSTRUCTION(store_fs, "smsw %%fs:0x1000(%%rsi)", "rsi")
INSTRUCTION(load_fs, "lmsw %%fs:0x1000(%%rsi)", "rsi")
INSTRUCTION(store_gs, "smsw %%gs:(%%rsi)", "rsi")
INSTRUCTION(load_gs, "lmsw %%gs:(%%rsi)", "rsi")
INSTRUCTION(store_locked, ".byte 0xf0, 0x0f, 0x01, 0x23", "rbx")
INSTRUCTION(load_locked, ".byte 0xf0, 0x0f, 0x01, 0x33", "rbx")
INSTRUCTION(register_locked, ".byte 0xf0, 0x0f, 0x01, 0xe0", "rbx")
INSTRUCTION(store_stack, "xchg %%rbp, %%rbx\n smsw (%%rbp)\n 1: xchg %%rbp, %%rbx", "rbx")

static uint64_t store_next(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("smsw %0" : "=m"(word[1]));
	return 0;
}

static uint64_t load_next(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("lmsw %0" : : "m"(word[1]));
	return 0;
}

static uint64_t store_pushed(uint64_t unused)
{
	uint64_t value;

	(void)unused;
	__asm__ volatile("push $0\n smsw (%%rsp)\n pop %0" : "=r"(value) : : "memory");
	word[1] = (uint16_t)value;
	return 0;
}

static uint64_t load_pushed(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("push %0\n lmsw (%%rsp)\n lea 8(%%rsp), %%rsp" : : "r"((uint64_t)word[1]) : "memory");
	return 0;
}

struct way {
	uint64_t (*store)(uint64_t address), (*load)(uint64_t address);
	uint64_t distance; /* the register holds the address of the word and this, divided */
	unsigned divisor;
};

/* All values of both flags, through a word: what is around it stays, and CR0 keeps PE and what LMSW does not load. */
static void go(uint8_t number, const struct way *way)
{
	const uint64_t first = read_cr0() & ~(uint64_t)FLAGS;
	const uint64_t at = ((uint64_t)&word[1] + way->distance) / way->divisor;

	for (unsigned i = 0; i < 5; i++) {
		const uint64_t flags = (i & 1 ? SS_CR0_MP : 0) | (i & 2 ? SS_CR0_TS : 0);

		word[0] = word[2] = FILL;
		word[1] = (uint16_t)(FILL << 4 | (first & 0xf & ~(uint64_t)SS_CR0_PE) | flags);
		check(number, way->load(at) == 0 && read_cr0() == (first | flags));
		word[1] = 0;
		check(number + 1, way->store(at) == 0 && word[1] == (uint16_t)(first | flags));
		check(number + 2, word[0] == FILL && word[2] == FILL);
	}
}

/* One byte of the word in each page, which lie the other way round in memory. */
static void go_over_a_border(void)
{
	uint8_t *const low = &pages[1][PAGE - 1], *const high = &pages[0][0];
	const uint64_t first = read_cr0() & ~(uint64_t)FLAGS, at = BACK + PAGE - 1;

	pages[1][0] = pages[0][PAGE - 1] = 0x77;
	*low = (uint8_t)(first | SS_CR0_TS);
	*high = 0xff;
	check(50, load(at) == 0 && read_cr0() == (first | SS_CR0_TS));
	check(51, store(at) == 0 && *low == (uint8_t)(first | SS_CR0_TS) && *high == (uint8_t)(first >> 8));
	check(52, pages[1][0] == 0x77 && pages[0][PAGE - 1] == 0x77);
	set_base(MSR_GS_BASE, BACK);
	*low = (uint8_t)(first | SS_CR0_MP);
	check(53, load_gs(PAGE - 1) == 0 && read_cr0() == (first | SS_CR0_MP));
	*low = 0;
	check(54, store_gs(PAGE - 1) == 0 && *low == (uint8_t)(first | SS_CR0_MP));
}

static uint64_t faulting_address(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

/* Nothing has happened but the exception. */
static void go_wrong(void)
{
	volatile uint8_t *last = &pages[0][PAGE - 1];
	const uint64_t before = read_cr0(), at = BACK + 2 * PAGE - 1;
	uint64_t vector;

	*last = (uint8_t)(before ^ FLAGS);
	check(60, store(at) == PF && faulting_address() == at + 1);
	check(61, load(at) == PF && faulting_address() == at + 1);
	/* A processor that is emulated may ask for the page behind the border first. */
	vector = store(LAST + PAGE - 1);
	check(62, (vector == GP || vector == PF) && load(LAST + PAGE - 1) == vector);
	check(63, store(LAST + PAGE) == GP && load(LAST + PAGE) == GP);
	/* It may not know that it is the stack. */
	vector = store_stack(LAST + PAGE);
	check(64, vector == SS || vector == GP);
	/* And not see the prefix, where nothing exits; then not in front of SMSW with a register either. */
	vector = register_locked(0);
	word[1] = (uint16_t)before;
	check(65, (vector == UD || vector == 0) && store_locked((uint64_t)&word[1]) == vector &&
			  load_locked((uint64_t)&word[1]) == vector);
	check(66, read_cr0() == before);
	/* The last check, for not all that carry out an instruction leave alone what is in front of the border. */
	check(67, *last == (uint8_t)(before ^ FLAGS));
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	static const struct way ways[] = {
		{store, load, 0, 1},
		{store_near, load_near, 0x7f, 1},
		{store_far, load_far, -UINT64_C(0x12345), 1},
		{store_scaled, load_scaled, 0, 2},
		{store_truncated, load_truncated, UPPER, 1},
		{store_fs, load_fs, -UINT64_C(0x800000), 1},
		{store_next, load_next, 0, 1},
		{store_pushed, load_pushed, 0, 1},
	};

	(void)index;
	context = given;
	catch_all();
	map_pages();
	set_base(MSR_FS_BASE, 0x800000 - 0x1000);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		go((uint8_t)(1 + 5 * i), &ways[i]);
	go_over_a_border();
	go_wrong();
	leave(0);
}
