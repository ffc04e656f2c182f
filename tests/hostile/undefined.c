/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tries every instruction of undefined.def at CPL 0, at CPL 3 and as 32-bit code, prints what became of
 * it, a vector or "done", and goes on. Exit status 0; 1 if one went wrong. Whoever steps in: none of them ends
 * the VM. What the processor does have is tried at CPL 3 only where there is no monitor: a KVM that
 * interprets CPL 0 may truly not know it.
 */
#include "guestfw/abi.h"

#define SEL_CODE32 0x38
#define GATES 32
#define UD 6
#define DONE 32 /* in place of a vector */

enum { EAX, EBX, ECX, EDX };
enum kind { KIND_NEVER, KIND_LEGACY_ONLY, KIND_ANY, KIND_CPUID };

static const struct row {
	const char *name;
	uint8_t size;
	uint8_t bytes[17];
	struct {
		enum kind kind;
		uint32_t leaf, subleaf;
		uint8_t reg, bit;
	} where;
} rows[] = {
#define NEVER .kind = KIND_NEVER
#define LEGACY_ONLY .kind = KIND_LEGACY_ONLY
#define ANY .kind = KIND_ANY
#define CPUID(function, index, name, number)                                                       \
	.kind = KIND_CPUID, .leaf = function, .subleaf = index, .reg = name, .bit = number
#define I(name, bytes, ...) {name, sizeof(bytes) - 1, bytes, {__VA_ARGS__}},
#include "undefined.def"
};

static struct ss_context *context;
static struct ss_vcpu_page *page;
static uint8_t code[64] __attribute__((aligned(64)));
static uint64_t scratch[512] __attribute__((aligned(64), used));
static uint64_t operand __attribute__((used)); /* what RBX is */
static uint8_t user_stack[256] __attribute__((aligned(16)));
static char line[SS_LOG_MAX];
static unsigned length;

/* What code at CPL 3 can do to a VM besides: instructions that KVM does not interpret where it has to, and
 * places where there is nothing. */
#define NOWHERE 0xe0000000
static const struct {
	const char *name;
	uint8_t size;
	uint8_t bytes[7];
	uint64_t address;
} by_user[] = {
	{"addps with a device", 3, "\x0f\x58\x03", SS_MMIO_GPA},
	{"movups to a device", 3, "\x0f\x11\x03", SS_MMIO_GPA},
	{"fld of a device", 2, "\xd9\x03", SS_MMIO_GPA},
	{"smsw to a device", 3, "\x0f\x01\x23", SS_MMIO_GPA},
	{"cmpxchg16b with a device", 4, "\x48\x0f\xc7\x0b", SS_MMIO_GPA},
	{"jump to a device", 2, "\xff\xe3", SS_MMIO_GPA},
	{"load from nowhere", 2, "\x8b\x03", NOWHERE},
	{"store to nowhere", 2, "\x89\x03", NOWHERE},
	{"add to nowhere", 2, "\x01\x03", NOWHERE},
	{"addps with nowhere", 3, "\x0f\x58\x03", NOWHERE},
	{"push of nowhere", 2, "\xff\x33", NOWHERE},
	{"jump to nowhere", 2, "\xff\xe3", NOWHERE},
	{"out to the exit port", 2, "\xe6\xf4", 0},
	{"hlt", 1, "\xf4", 0},
	{"mov to cr8", 4, "\x44\x0f\x22\xc0", 0},
	{"wbinvd", 2, "\x0f\x09", 0},
	{"invd", 2, "\x0f\x08", 0},
	{"int 3", 1, "\xcc", 0},
	{"int 0x80", 2, "\xcd\x80", 0},
};

/* Left by the exception. */
volatile uint64_t trap_vector, trap_rip, resume_rsp;

static _Noreturn void leave(uint8_t status)
{
	__asm__ volatile("outb %0, %1" : : "a"(status), "Nd"((uint16_t)SS_PORT_EXIT) : "memory");
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void put(const char *text)
{
	while (*text && length < sizeof(line))
		line[length++] = *text++;
}

static void put_number(uint64_t value)
{
	if (value >= 10)
		put_number(value / 10);
	put((const char[]){(char)('0' + value % 10), 0});
}

static void end_line(void)
{
	struct ss_request *request = &page->request;

	put("\n");
	*request = (struct ss_request){.size = sizeof(*request), .number = SS_REQUEST_LOG,
				       .arg = {(uint64_t)line, length}};
	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uint64_t)request), "Nd"((uint16_t)SS_PORT_CONTROL)
			 : "memory");
	length = 0;
}

/* A stub of 32 bytes for each vector. All that is needed of the frame is RIP. */
__asm__(".text\n"
	"	.p2align 5\n"
	"stubs:\n"
	"	.set vector, 0\n"
	"	.rept 32\n"
	"	.p2align 5\n"
	"	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21\n"
	"	add $8, %rsp\n"
	"	.endif\n"
	"	movq $vector, trap_vector\n"
	"	jmp trapped\n"
	"	.set vector, vector + 1\n"
	"	.endr\n"
	"trapped:\n"
	"	pop %rax\n"
	"	mov %rax, trap_rip\n"
	"	mov $0x10, %eax\n"
	"	mov %eax, %ss\n"
	"	mov %eax, %ds\n"
	"	mov %eax, %es\n"
	"	mov resume_rsp, %rsp\n"
	"	jmp back\n"
	/* run(SS or 0, RSP, CS, RIP): goes there; returns when an exception was raised. */
	"run:\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, resume_rsp\n"
	"	push %rdi\n"
	"	push %rsi\n"
	"	pushq $2\n"
	"	push %rdx\n"
	"	push %rcx\n"
	"	mov operand, %rbx\n"
	"	mov $scratch + 1024, %eax\n"
	"	mov %eax, %edi\n"
	"	mov %eax, %esi\n"
	"	xor %ecx, %ecx\n"
	"	xor %edx, %edx\n"
	"	iretq\n"
	"back:\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	cld\n"
	"	ret\n");
extern const uint8_t stubs[];
void run(uint64_t ss, uint64_t rsp, uint64_t cs, uint64_t rip);

static void set_tables(void)
{
	static uint64_t idt[GATES][2], gdt[16];
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) table;

	for (unsigned i = 0; i < GATES; i++) {
		uint64_t stub = (uint64_t)stubs + 32 * i;

		idt[i][0] = (stub & 0xffff) | (uint64_t)SS_SEL_CODE << 16 | 0x8e00ull << 32 |
			    (stub >> 16 & 0xffff) << 48;
		idt[i][1] = stub >> 32;
	}
	__asm__ volatile("sgdt %0" : "=m"(table));
	for (unsigned i = 0; i <= (table.limit >> 3u) && i < 16; i++)
		gdt[i] = ((const uint64_t *)table.base)[i];
	for (unsigned i = (table.limit >> 3u) + 1; i < 16; i++)
		gdt[i] = 0;
	/* The descriptor of the TSS has two words. */
	gdt[7] = 0x00cf9b000000ffff;
	table.limit = sizeof(gdt) - 1;
	table.base = (uint64_t)gdt;
	__asm__ volatile("lgdt %0" : : "m"(table));
	table.limit = sizeof(idt) - 1;
	table.base = (uint64_t)idt;
	__asm__ volatile("lidt %0" : : "m"(table));
}

static int has(const struct row *row)
{
	uint32_t regs[4];

	__asm__ volatile("cpuid"
			 : "=a"(regs[EAX]), "=b"(regs[EBX]), "=c"(regs[ECX]), "=d"(regs[EDX])
			 : "a"(row->where.leaf & 0xf0000000), "c"(0));
	if (regs[EAX] < row->where.leaf || (regs[EAX] ^ row->where.leaf) >> 28)
		return 0;
	__asm__ volatile("cpuid"
			 : "=a"(regs[EAX]), "=b"(regs[EBX]), "=c"(regs[ECX]), "=d"(regs[EDX])
			 : "a"(row->where.leaf), "c"(row->where.subleaf));
	return regs[row->where.reg] >> row->where.bit & 1;
}

static const struct mode {
	const char *name;
	uint16_t cs, ss;
} modes[] = {
	{" cpl0 ", SS_SEL_CODE, SS_SEL_DATA},
	{" cpl3 ", SS_SEL_USER_CODE, SS_SEL_USER_DATA},
	{" cs32 ", SEL_CODE32, SS_SEL_DATA},
};

/* What is behind the instruction, and raises #UD there. */
static void load(const uint8_t *bytes, unsigned size)
{
	for (unsigned i = 0; i < sizeof(code) - 1; i += 2) {
		code[i] = 0x0f;
		code[i + 1] = 0x0b;
	}
	for (unsigned i = 0; i < size; i++)
		code[i] = bytes[i];
	code[size] = 0x0f;
	code[size + 1] = 0x0b;
}

/* The vector that was raised, in place of the instruction or in its middle. */
static unsigned try(const uint8_t *bytes, unsigned size, const struct mode *mode)
{
	unsigned vector;

	load(bytes, size);
	run(mode->ss, (uint64_t)user_stack + sizeof(user_stack) / 2, mode->cs, (uint64_t)code);
	vector = trap_vector == UD && trap_rip == (uint64_t)code + size ? DONE : (unsigned)trap_vector;
	put(mode->name);
	if (vector == DONE)
		put("done");
	else
		put_number(vector);
	return vector;
}

/* A fault is one of the instruction itself. */
static int is_undefined(unsigned vector)
{
	return vector == UD && trap_rip == (uint64_t)code;
}

static int is_right(const struct row *row, const struct mode *mode, unsigned vector)
{
	switch (row->where.kind) {
	case KIND_NEVER:
		return is_undefined(vector);
	case KIND_LEGACY_ONLY:
		return mode->cs == SEL_CODE32 || is_undefined(vector);
	case KIND_CPUID:
		return has(row) || vector == DONE || is_undefined(vector) ||
		       mode->cs == SS_SEL_USER_CODE;
	default:
		return 1;
	}
}

/* Whether a KVM that interprets could end the VM by it, rightly. */
static int is_risky(const struct row *row, const struct mode *mode)
{
	if (context->flags & SS_CONTEXT_MONITOR || mode->cs == SS_SEL_USER_CODE)
		return 0;
	return row->where.kind == KIND_CPUID ? has(row)
					     : row->where.kind == KIND_LEGACY_ONLY && mode->cs == SEL_CODE32;
}

static int try_all(const struct row *row)
{
	int wrong = 0;

	put(row->name);
	put(":");
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (is_risky(row, &modes[i]) ||
		    is_right(row, &modes[i], try(row->bytes, row->size, &modes[i])))
			continue;
		put(" WRONG");
		wrong = 1;
	}
	end_line();
	return wrong;
}

/* It goes on behind the instruction, or with an exception; that it does is all. */
static void try_as_user(unsigned number)
{
	put(by_user[number].name);
	put(":");
	operand = by_user[number].address;
	try(by_user[number].bytes, by_user[number].size, &modes[1]);
	end_line();
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *at,
							      uint64_t index);
_Noreturn void _start(struct ss_context *at, uint64_t index)
{
	int wrong = 0;

	context = at;
	page = (struct ss_vcpu_page *)(at->vcpu_page_gpa + 4096 * index);
	set_tables();
	operand = (uint64_t)scratch;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		wrong |= try_all(&rows[i]);
	for (unsigned i = 0; i < sizeof(by_user) / sizeof(by_user[0]); i++)
		try_as_user(i);
	leave((uint8_t)wrong);
}
