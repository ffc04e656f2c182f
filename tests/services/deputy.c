/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything by which a guest has the VMM, the monitor or KVM read or write memory for it, from three views
 * (deputy.views) of which the first may do anything with a page, the second may read it, and the third may
 * not see it; at CPL 0 and, where that cannot do it by an address of its own, at CPL 3. Code at CPL 3 gets to
 * the ports by IOPL, or, with BITMAP, by a TSS of the guest's own. Exit status 0, or the number of the
 * check that failed: 12 * path + 4 * view, 2 more at CPL 3, 1 more if the page has changed.
 */
#include "guest.h"

#define EPERM 1
#define EACCES 13
#define PF 14
#define UNTOUCHED 77
#define PAGE_SIZE 4096
#define IOPL_3 0x3000
#define SECRET 0x2174657263655321 /* "!Secret!": must not be printed */
#define SCRATCH (SS_PORT_SERIAL + 7)

enum path {
	PORT,
	PORT_ACROSS,
	HYPERCALL,
	TEXT,
	TEXT_ACROSS,
	MEMORY,
	RESULT,
	SETUP,
	PINNING,
	DISK_READ,
	DISK_WRITE,
	STRING_OUT,
	STRING_IN,
	REMAPPED,
	OUTSIDE,
	CLOCK,
	OLD_CLOCK,
};

static const struct {
	int read, write;
} granted[] = {{1, 1}, {1, 0}, {0, 0}};

#define VIEWS (sizeof(granted) / sizeof(granted[0]))

static volatile uint8_t *page; /* that the views treat in different ways, behind one that they do not */
static struct ss_request own;

/* Vectors: exceptions continue at r14, with their number in r11. Page 0 is absent: a
 * fault at address 16 is the way back from CPL 3. */
__asm__(".text\n"
	"page_fault:\n"
	"	mov %cr2, %r11\n"
	"	cmp $16, %r11\n"
	"	je back\n"
	"	mov $14, %r11d\n"
	"	add $8, %rsp\n"
	"	mov %r14, (%rsp)\n"
	"	iretq\n"
	"back:\n"
	"	mov kernel_stack(%rip), %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	popfq\n"
	"	ret\n"
	/* uint64_t enter_cpl3(uint64_t (*what)(uint64_t), uint64_t argument, uint64_t flags, void *stack) */
	"enter_cpl3:\n"
	"	pushfq\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, kernel_stack(%rip)\n"
	"	pushq $0x23\n"
	"	push %rcx\n"
	"	push %rdx\n"
	"	pushq $0x1b\n"
	"	lea 1f(%rip), %rax\n"
	"	push %rax\n"
	"	iretq\n"
	"1:	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	call *%rax\n"
	"	movb $0, 16\n"
	".bss\n"
	".p2align 3\n"
	"kernel_stack: .quad 0\n"
	".text\n");

extern const uint8_t page_fault[];
uint64_t enter_cpl3(uint64_t (*what)(uint64_t), uint64_t argument, uint64_t flags, void *stack);

_Static_assert(SS_SEL_USER_CODE == 0x1b && SS_SEL_USER_DATA == 0x23, "as above");

static struct {
	uint64_t low, high;
} idt[PF + 1];

static void set_gate(unsigned vector, const uint8_t *handler)
{
	uint64_t to = (uint64_t)handler;

	idt[vector].low = (to & 0xffff) | (uint64_t)SS_SEL_CODE << 16 | 0x8e00ull << 32 |
			  (to >> 16 & 0xffff) << 48;
	idt[vector].high = to >> 32;
}

static void catch_all(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) descriptor = {sizeof(idt) - 1, (uint64_t)idt};

	set_gate(UD, undefined);
	set_gate(GP, protected);
	set_gate(PF, page_fault);
	__asm__ volatile("lidt %0" : : "m"(descriptor));
}

#ifdef BITMAP
#define PORT_FLAGS 2
static struct {
	uint8_t tss[104];
	uint8_t bitmap[8192 + 1];
} __attribute__((aligned(16))) task;

/* Every port is allowed: its bit is clear. */
static void allow_ports(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt;
	uint64_t base = (uint64_t)&task, limit = sizeof(task) - 1;
	volatile uint64_t *descriptor;
	static uint8_t stack[PAGE_SIZE];
	uint64_t top = (uint64_t)(stack + sizeof(stack));

	__builtin_memcpy(task.tss + 4, &top, sizeof(top));
	task.tss[102] = sizeof(task.tss);
	task.bitmap[8192] = 0xff;
	__asm__ volatile("sgdt %0" : "=m"(gdt));
	descriptor = (volatile uint64_t *)(gdt.base + SS_SEL_TSS);
	descriptor[0] = 0x890000000000 | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	descriptor[1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(SS_SEL_TSS));
}
#else
#define PORT_FLAGS (2 | IOPL_3)
static void allow_ports(void)
{
}
#endif

static uint64_t at(unsigned cpl, uint64_t (*what)(uint64_t), uint64_t argument)
{
	static uint8_t stack[PAGE_SIZE] __attribute__((aligned(16)));

	return cpl == 0 ? what(argument)
			: enter_cpl3(what, argument, PORT_FLAGS, stack + sizeof(stack));
}

/* Not where KVM interprets guest code and leaves it no port at CPL 3 whatever IOPL and bitmap say. */
static uint64_t try_port(uint64_t port)
{
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	outb %%al, %w1\n"
			 "1:\n"
			 : "+r"(vector) : "d"(port) : "rax", "r14", "memory");
	return vector;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static uint64_t by_port(uint64_t address)
{
	out32(SS_PORT_CONTROL, (uint32_t)address);
	return 0;
}

static uint64_t by_hypercall(uint64_t address)
{
	return hypercall(SS_HYPERCALL_REQUEST, address, context->flags & SS_CONTEXT_VMMCALL);
}

static void put(volatile uint8_t *to, const void *from, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = ((const uint8_t *)from)[i];
}

static struct ss_request request_of(uint32_t number, uint64_t first, uint64_t second)
{
	return (struct ss_request){
		.size = sizeof(own), .number = number, .status = UNTOUCHED, .arg = {first, second}};
}

/* The status of a request of this guest's own, in memory that every view shows. */
static int32_t ask(uint32_t number, uint64_t first, uint64_t second)
{
	own = request_of(number, first, second);
	by_port((uint64_t)&own);
	return *(volatile int32_t *)&own.status;
}

/* Number of a check, from where the walk is. */
static unsigned view, cpl;

static uint8_t number(enum path path)
{
	return (uint8_t)(12 * path + 4 * view + (cpl ? 2 : 0));
}

/* What the page holds, seen from view 0; then there again. */
static uint64_t held(unsigned offset)
{
	uint64_t value = 0;

	switch_to(0);
	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)page[offset + i] << 8 * i;
	switch_to(view);
	return value;
}

/* Ends in view 0. */
static void fill(void)
{
	const uint64_t secret = SECRET;

	switch_to(0);
	for (int i = -64; i < PAGE_SIZE; i += 8)
		put(page + i, &secret, 8);
}

/* A request that does nothing, whose structure begins `before` bytes in front of the page: performed if the
 * view lets it be read and written, else neither. */
static void structure(enum path path, unsigned before, uint64_t (*how)(uint64_t), int has_result)
{
	const struct ss_request request = request_of(SS_REQUEST_NULL_SERVICE, 0, 0);
	int performed = granted[view].write && cpl == 0;
	volatile uint8_t *where = page - before;
	uint64_t rax;
	int32_t status;

	fill();
	put(where, &request, sizeof(request));
	switch_to(view);
	rax = at(cpl, how, (uint64_t)where);
	switch_to(0);
	status = *(volatile int32_t *)(where + 8);
	switch_to(view);
	check(number(path) + 1, status == (performed ? 0 : UNTOUCHED));
	if (has_result)
		check(number(path), rax == (performed ? 0 : FAILED(cpl ? EPERM : EACCES)));
}

/* "said" where the view allows it. The secret is never printed: from view 0 it is overwritten before. */
static void text(enum path path, unsigned before)
{
	static const char said[] = "said\n";
	int read = granted[view].read;

	fill();
	if (read)
		put(page - before, said, 5);
	switch_to(view);
	check(number(path), ask(SS_REQUEST_LOG, (uint64_t)(page - before), 5) == (read ? 0 : -EACCES));
}

struct operands {
	uint32_t eax, ecx;
	uint64_t rdx, rbx;
};

static uint64_t vmfunc(uint64_t given)
{
	const struct operands *operands = (const struct operands *)given;
	register uint64_t vector __asm__("r11") = 0;
	uint64_t rax = operands->eax;

	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	.byte 0x0f, 0x01, 0xd4\n"
			 "1:\n"
			 : "+a"(rax), "+r"(vector)
			 : "c"(operands->ecx), "d"(operands->rdx), "b"(operands->rbx)
			 : "r14", "memory");
	return vector == 0 ? rax : 0xbad00 + vector;
}

/* At this CPL; where nobody carries the instruction out, by the request that a #UD handler makes. */
static uint64_t service(uint32_t eax, uint32_t ecx, uint64_t rdx, uint64_t rbx)
{
	struct operands operands = {eax, ecx, rdx, rbx};
	uint64_t rax = at(cpl, vmfunc, (uint64_t)&operands);

	if (rax != 0xbad00 + UD || context->flags & SS_CONTEXT_MONITOR)
		return rax;
	own = request_of(SS_REQUEST_VMFUNC, eax, ecx);
	own.cpl = cpl;
	own.arg[2] = rdx;
	own.arg[3] = rbx;
	by_port((uint64_t)&own);
	check(250, *(volatile int32_t *)&own.status == 0 && own.ret[0] == SS_VMFUNC_STEP);
	return own.ret[1];
}

static void parameters(void)
{
	const struct ss_service_args args = {sizeof(args), 1000, {0, ALL}};
	uint64_t wanted = cpl ? FAILED(EPERM) : granted[view].read ? FAILED(ENOENT) : FAILED(EACCES);

	fill();
	put(page, &args, sizeof(args));
	switch_to(view);
	check(number(MEMORY), service(SS_SERVICE_MAP, SS_SERVICE_IN_MEMORY, (uint64_t)page, 0) == wanted);
}

/* The page of the vCPU is treated as the page is. */
static void vcpu_page(void)
{
	const int unknown = context->flags & SS_CONTEXT_MONITOR ? -EPERM : 0;

	check(number(RESULT), ask(SS_REQUEST_RESULT, 1, 0) == (granted[view].read ? -EINVAL : -EACCES));
	check(number(SETUP), ask(SS_REQUEST_SETUP, 0, 0) == (granted[view].write ? unknown : -EACCES));
}

/* The list of services lets any CPL pin: the view decides then. */
static int64_t pin(uint32_t rights)
{
	return (int64_t)service(SS_SERVICE_PIN, rights, (uint64_t)page, PAGE_SIZE);
}

static void pinning(void)
{
	int64_t handle = pin(SS_RIGHT_READ);

	check(number(PINNING), granted[view].read ? handle > 0 : handle == -EACCES);
	if (handle > 0)
		service(SS_SERVICE_UNPIN, (uint32_t)handle, 0, 0);
	handle = pin(SS_RIGHT_READ | SS_RIGHT_WRITE);
	check(number(PINNING) + 1, granted[view].write ? handle > 0 : handle == -EACCES);
	if (handle > 0)
		service(SS_SERVICE_UNPIN, (uint32_t)handle, 0, 0);
}

static void set_disk(enum ss_disk_register reg, uint64_t value)
{
	out32((uint16_t)(SS_PORT_DISK + 4 * reg), (uint32_t)value);
}

static uint64_t command(uint64_t value)
{
	set_disk(SS_DISK_REG_COMMAND, value);
	return 0;
}

static void disk(enum path path, enum ss_disk_command what, int allowed)
{
	unsigned asks_at = cpl;
	int64_t handle;

	fill();
	cpl = 0;
	handle = pin(SS_RIGHT_READ | SS_RIGHT_WRITE);
	cpl = asks_at;
	switch_to(view);
	set_disk(SS_DISK_REG_BUFFER, (uint64_t)handle);
	set_disk(SS_DISK_REG_COUNT, 1);
	/* The first sector is zeros, the second is written. */
	set_disk(SS_DISK_REG_SECTOR, what == SS_DISK_COMMAND_WRITE);
	at(cpl, command, what);
	check(number(path), in32(SS_PORT_DISK + 4 * SS_DISK_REG_STATUS) ==
				    (allowed && cpl == 0 ? SS_DISK_STATUS_DONE
							 : SS_DISK_STATUS_BAD_ACCESS));
	if (what == SS_DISK_COMMAND_READ)
		check(number(path) + 1, held(0) == (allowed && cpl == 0 ? 0 : SECRET));
	switch_to(0);
	cpl = 0;
	service(SS_SERVICE_UNPIN, (uint32_t)handle, 0, 0);
	cpl = asks_at;
	switch_to(view);
}

/* KVM makes these accesses: at the ends of the page a string crosses into it. A fault goes on behind it. */
static void strings(void)
{
	uint8_t seen = 0;

	fill();
	switch_to(view);
	__asm__ volatile("lea 1f(%%rip), %%r14\n"
			 "outsb\n"
			 "1:\n"
			 : : "S"(page), "d"(SCRATCH) : "r14", "r11", "memory");
	__asm__ volatile("inb %w1, %0" : "=a"(seen) : "d"(SCRATCH));
	check(number(STRING_OUT), (seen == (SECRET & 0xff)) == granted[view].read);
	__asm__ volatile("movb $0x33, %%al\n"
			 "outb %%al, %%dx\n"
			 "lea 1f(%%rip), %%r14\n"
			 "insb\n"
			 "1:\n"
			 : : "D"(page), "d"(SCRATCH) : "rax", "r14", "r11", "memory");
	check(number(STRING_IN), ((held(0) & 0xff) == 0x33) == granted[view].write);
}

/* What a view shows at an address counts, not what is there in another one. */
static void remapped(void)
{
	volatile uint8_t *tag = (volatile uint8_t *)(context->window_gpa + PAGE_SIZE * SS_WINDOW_TAG);
	const struct ss_request request = request_of(SS_REQUEST_NULL_SERVICE, 0, 0);
	const uint64_t secret = SECRET;

	switch_to(0);
	put(tag + 8, &secret, 8);
	switch_to(view);
	put(tag, &request, sizeof(request));
	by_port((uint64_t)tag);
	check(number(REMAPPED), *(volatile int32_t *)(tag + 8) == 0);
	switch_to(0);
	check(number(REMAPPED) + 1, view == 0 || *(volatile uint64_t *)(tag + 8) == SECRET);
	switch_to(view);
}

/* KVM has registers by which a guest tells it where to put the time: 12 bytes, at once. To a nested guest it
 * would be an address of the monitor's. Refused by #GP, or written as the view has it. */
static void paravirtual(enum path path, uint32_t msr)
{
	uint64_t address = (uint64_t)page;

	fill();
	switch_to(view);
	__asm__ volatile("lea 1f(%%rip), %%r14\n"
			 "wrmsr\n"
			 "1:\n"
			 : : "c"(msr), "a"((uint32_t)address), "d"((uint32_t)(address >> 32))
			 : "r14", "r11", "memory");
	check(number(path), granted[view].write || held(0) == SECRET);
}

/* Of no use to anybody, and no way to end the VM from CPL 3. */
static void outside(void)
{
	check(number(OUTSIDE), ask(SS_REQUEST_LOG, SS_MMIO_GPA, 4) == -EFAULT);
	check(number(OUTSIDE), ask(SS_REQUEST_LOG, UINT64_MAX - 1, 4) == -EFAULT);
	check(number(OUTSIDE), ask(SS_REQUEST_LOG, context->memory_size - 2, 4) == -EFAULT);
	if (cpl == 0)
		return;
	at(cpl, by_port, SS_MMIO_GPA);
	if (context->flags & SS_CONTEXT_MONITOR)
		check(number(OUTSIDE) + 1, at(cpl, by_hypercall, SS_MMIO_GPA) == FAILED(EPERM));
}

static void walk(void)
{
	int ports = at(cpl, try_port, SS_PORT_UNCLAIMED) == 0;

	switch_to(view);
	if (!ports)
		check(254, cpl != 0 && ask(SS_REQUEST_LOG, (uint64_t) "no ports at CPL 3\n", 18) == 0);
	if (ports) {
		structure(PORT, 0, by_port, 0);
		structure(PORT_ACROSS, 16, by_port, 0);
		structure(PORT_ACROSS, sizeof(struct ss_request) - 1, by_port, 0);
		disk(DISK_READ, SS_DISK_COMMAND_READ, granted[view].write);
		disk(DISK_WRITE, SS_DISK_COMMAND_WRITE, granted[view].read);
		outside();
	}
	if (context->flags & SS_CONTEXT_MONITOR)
		structure(HYPERCALL, 0, by_hypercall, 1);
	parameters();
	pinning();
	if (cpl != 0)
		return;
	text(TEXT, 0);
	text(TEXT_ACROSS, 2);
	vcpu_page();
	strings();
	remapped();
	paravirtual(CLOCK, 0x4b564d00);
	paravirtual(OLD_CLOCK, 0x11);
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given,
							      uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	/* Views hide it. */
	static struct ss_context copy;

	(void)index;
	put((volatile uint8_t *)&copy, given, sizeof(copy));
	context = &copy;
	page = (volatile uint8_t *)(context->window_gpa + PAGE_SIZE * SS_WINDOW_PRIVATE);
	catch_all();
	check(253, context->view_count == VIEWS);
	allow_ports();
	for (view = 0; view < VIEWS; view++)
		for (cpl = 0; cpl <= 3; cpl += 3)
			walk();
	leave(0);
}
