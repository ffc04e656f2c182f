/* SPDX-License-Identifier: MIT */
/*
 * A guest to start from: one file, built with abi.h and guest.ld and nothing else. The command that
 * builds it is in docs/guest-abi.md, "Write your own guest".
 *
 * It greets on the serial port, agrees on the version of the ABI, performs a small catalogue of its
 * own between markers, so that the ledger counts exits under the names given below, and switches
 * views, with VMFUNC where the processor has it for this guest and by asking the VMM where not.
 */
#include "abi.h"

/*
 * Entry point, at the first byte of the image because guest.ld puts .text.start first. A flat binary
 * is entered there too. RDI and RSI hold the context area and the index of the vCPU, which is where
 * the C calling convention wants the first two arguments; the stack is ready. Every vCPU of the VM
 * starts here at the same time.
 */
__asm__(".section .text.start, \"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	cld\n"
	"	call guest_main\n"
	/* HLT with interrupts off parks a vCPU for good. */
	"1:	cli\n"
	"	hlt\n"
	"	jmp 1b\n"
	".text\n");

/* Ports. Every one of these is an exit to the VMM. */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* The byte becomes the exit status of `sidestep run`. The VM ends here. */
static _Noreturn void finish(uint8_t status)
{
	out8(SS_PORT_EXIT, status);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The serial port takes bytes at once: its transmitter is always ready. */
static void serial_print(const char *text)
{
	for (; *text; text++)
		out8(SS_PORT_SERIAL, (uint8_t)*text);
}

static struct ss_context *context;
static struct ss_vcpu_page *page; /* of the only vCPU that does anything here */

/*
 * Requests. The VMM takes the guest-physical address of a struct ss_request from the control port,
 * performs it before OUT returns, and writes `status` and `ret`. Addresses are physical; since the
 * VMM maps memory one to one, the pointer is the address. The page shared with the VMM has a
 * request ready to use, but any memory will do.
 */
static int32_t make_request(enum ss_request_number number, uint64_t arg0, uint64_t arg1)
{
	struct ss_request *req = &page->request;

	req->size = sizeof(*req);
	req->number = number;
	req->arg[0] = arg0;
	req->arg[1] = arg1;
	out32(SS_PORT_CONTROL, (uint32_t)(uint64_t)req);
	return req->status;
}

/* Text by request: one exit for a whole line, where the serial port takes one per byte. */
static void log_line(const char *text, uint64_t number)
{
	static char line[SS_LOG_MAX];
	unsigned length = 0;

	while (*text && length < sizeof(line) - 20)
		line[length++] = *text++;
	line[length++] = '0';
	line[length++] = 'x';
	for (int shift = 60; shift >= 0; shift -= 4)
		line[length++] = "0123456789abcdef"[number >> shift & 15];
	line[length++] = '\n';
	make_request(SS_REQUEST_LOG, (uint64_t)line, length);
}

/*
 * VMFUNC with EAX = 0 selects the view in ECX. Without VMFUNC for this guest the instruction raises
 * #UD; the handler notes that and steps over it, and from then on the VMM is asked instead. The
 * processor has pushed RIP, CS, RFLAGS, RSP and SS; on_invalid_opcode changes RIP only.
 */
extern const uint8_t on_invalid_opcode[];
volatile uint32_t no_vmfunc;

__asm__(".text\n"
	"on_invalid_opcode:\n"
	"	push %rax\n"
	"	mov 8(%rsp), %rax\n"
	"	cmpw $0x010f, (%rax)\n" /* VMFUNC is 0f 01 d4 */
	"	jne 1f\n"
	"	cmpb $0xd4, 2(%rax)\n"
	"	jne 1f\n"
	"	addq $3, 8(%rsp)\n"
	"	movl $1, no_vmfunc(%rip)\n"
	"	pop %rax\n"
	"	iretq\n"
	"1:	cld\n"
	"	mov %rax, %rdi\n"
	"	and $-16, %rsp\n"
	"	call give_up\n");

/* Not VMFUNC: this program has a fault. The VMM prints where, and the VM ends. */
_Noreturn void give_up(uint64_t rip);
_Noreturn void give_up(uint64_t rip)
{
	page->request.arg[2] = 0; /* error code and CR2: #UD has neither */
	page->request.arg[3] = 0;
	make_request(SS_REQUEST_FATAL, 6, rip);
	finish(1);
}

/* There is no IDT at entry: any exception before this is a triple fault, which ends the VM. This
 * one has gates for vectors 0 to 6 (Intel SDM vol. 3A, 6.14.1), of which only #UD is present. */
static void install_handler(void)
{
	static struct {
		uint64_t low, high;
	} idt[7];
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) descriptor = {sizeof(idt) - 1, (uint64_t)idt};
	uint64_t address = (uint64_t)on_invalid_opcode;

	idt[6].low = (address & 0xffff) | (uint64_t)SS_SEL_CODE << 16 | 0x8e00ull << 32 |
		     (address >> 16 & 0xffff) << 48;
	idt[6].high = address >> 32;
	__asm__ volatile("lidt %0" : : "m"(descriptor));
}

/* Returns 0, or a negative errno from the VMM if there is no such view. */
static int64_t switch_view(uint32_t view)
{
	uint64_t rax = 0;

	if (!no_vmfunc)
		__asm__ volatile(".byte 0x0f, 0x01, 0xd4" : "+a"(rax) : "c"(view) : "memory");
	if (!no_vmfunc)
		return (int64_t)rax;
	if (make_request(SS_REQUEST_VMFUNC, 0, view) != 0 || page->request.ret[0] != SS_VMFUNC_STEP)
		return -1;
	return (int64_t)page->request.ret[1];
}

/* The tag page of the window is a different page in every view. The address stays the same. */
static uint64_t view_tag(void)
{
	return *(volatile uint64_t *)(context->window_gpa + 4096 * SS_WINDOW_TAG);
}

static void write_cr0(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

/*
 * Who has a flag of CR0, by the words in the shared page. Asked by a guest that is to go by them
 * (SS_CONTEXT_ENLIGHTENED): what it owns it writes to the register, what is kept it writes to the
 * shadow location, which is memory and no exit. Anything else is left to the instruction and the VMM.
 */
enum place { NOBODY, OWNED, KEPT };

static enum place place_of(const struct ss_flag_words *words, unsigned flag)
{
	switch (words->embodiment) {
	case SS_EMBODIMENT_ONE_WORD:
		return (enum place)(words->words[0] >> 2 * flag & 3);
	case SS_EMBODIMENT_SINGLE_MASK:
		return words->words[0] >> flag & 1 ? OWNED : KEPT;
	case SS_EMBODIMENT_SHADOW_FIRST:
		if (words->words[1] >> flag & 1)
			return KEPT;
		return words->words[0] >> flag & 1 ? OWNED : NOBODY;
	default:
		if (words->words[0] >> flag & 1)
			return OWNED;
		return words->words[1] >> flag & 1 ? KEPT : NOBODY;
	}
}

/* Writes TS of a value of CR0 that differs in nothing else. */
static void write_ts(uint64_t cr0)
{
	struct ss_flag_words *words = &page->cr0;
	enum place place = NOBODY;

	if (context->flags & SS_CONTEXT_ENLIGHTENED)
		place = place_of(words, 3);
	if (place == KEPT) {
		words->shadow = (words->shadow & ~(uint64_t)SS_CR0_TS) | (cr0 & SS_CR0_TS);
		return;
	}
	if (place == OWNED)
		words->value = cr0;
	write_cr0(cr0);
}

/* The work of the operations: `count` repetitions, and what the last one yielded. */

static uint64_t work_nothing(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		__asm__ volatile("");
	return 0;
}

static uint64_t work_ts(uint32_t count)
{
	uint64_t cr0 = SS_CR0_BASE;

	for (uint32_t i = 0; i < count; i++)
		write_ts(cr0 ^= SS_CR0_TS);
	write_ts(SS_CR0_BASE);
	return cr0;
}

static uint64_t work_view(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		switch_view(i & 1);
	return view_tag();
}

/*
 * The catalogue. The VMM reads this section from the ELF file before the guest runs; operation
 * numbers are positions in it, from 1. Names must be unique, of a-z 0-9 . and -. `needs` keeps an
 * operation from being selected where it cannot work. The operation of kind `nothing` is the empty
 * loop: the VMM subtracts what it costs from the others. A flat binary has no sections, so no names,
 * and the VMM selects nothing.
 */
enum { OP_NOTHING = 1, OP_TS, OP_VIEW };

__attribute__((section(SS_OPERATION_SECTION), used)) static const struct ss_operation catalogue[] = {
	[OP_NOTHING - 1] = {
		.name = "example.nothing",
		.meaning = "the empty loop",
		.entry = (uint64_t)work_nothing,
		.kind = SS_KIND_NOTHING,
		.insn = SS_INSN_NONE,
		.count = 200,
	},
	[OP_TS - 1] = {
		.name = "example.ts",
		.meaning = "setting and clearing TS in turn, by MOV to CR0 unless TS is kept in the shadow",
		.entry = (uint64_t)work_ts,
		.arg = SS_CR0_TS,
		.kind = SS_KIND_CR0_WRITE,
		.insn = SS_INSN_MOV,
		.count = 200,
	},
	[OP_VIEW - 1] = {
		.name = "example.view",
		.needs = "views",
		.meaning = "switch between views 0 and 1",
		.entry = (uint64_t)work_view,
		.kind = SS_KIND_VMFUNC,
		.insn = SS_INSN_VMFUNC,
		.count = 200,
	},
};

/* The marker says what the guest is doing. It is a plain store into the shared page: no exit. */
static void set_marker(uint32_t operation)
{
	volatile struct ss_marker *marker = &page->marker;

	marker->sequence++;
	marker->operation = operation;
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/*
 * One operation: the VMM snapshots its counters at BATCH_BEGIN and BATCH_END, exits in between are
 * attributed by the marker, and RESULT hands over what the guest itself saw. Its one sample of ticks
 * covers all repetitions.
 */
static void perform(uint32_t number)
{
	const struct ss_operation *op = &catalogue[number - 1];
	uint64_t (*work)(uint32_t count) = (uint64_t (*)(uint32_t))op->entry;
	uint32_t count = context->iterations ? context->iterations : op->count;
	struct ss_result *result = &page->result;
	uint64_t start, ticks;

	if (!(context->selected[(number - 1) / 64] >> (number - 1) % 64 & 1))
		return;
	if (make_request(SS_REQUEST_BATCH_BEGIN, number, count) != 0)
		finish(1);
	set_marker(number);
	start = read_tsc();
	result->value = work(count);
	ticks = read_tsc() - start;
	set_marker(0);
	make_request(SS_REQUEST_BATCH_END, number, 0);

	result->operation = number;
	result->count = count;
	result->faults = 0;
	result->vector = SS_NO_VECTOR;
	result->error_code = 0;
	result->sample_size = count;
	result->samples = 1;
	result->overhead = 0;
	result->ticks[0] = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
	make_request(SS_REQUEST_RESULT, number, 0);
}

/* Not static, like give_up(): assembly above calls it. */
void guest_main(struct ss_context *given, uint64_t index);
void guest_main(struct ss_context *given, uint64_t index)
{
	/* One vCPU is enough here; the others return to be parked. */
	if (index != 0)
		return;
	context = given;
	page = (struct ss_vcpu_page *)(context->vcpu_page_gpa + 4096 * index);

	serial_print("Hello from a guest of sidestep.\n");
	if (context->magic != SS_ABI_MAGIC || make_request(SS_REQUEST_HELLO, SS_ABI_VERSION, 0) != 0)
		finish(1);
	install_handler();

	switch_view(0); /* finds out whether VMFUNC works, so that no operation does */
	for (uint32_t number = OP_NOTHING; number <= OP_VIEW; number++)
		perform(number);

	write_ts(SS_CR0_BASE | SS_CR0_TS);
	log_line("with TS set, CR0 reads as ", read_cr0());
	write_ts(SS_CR0_BASE);

	for (uint32_t view = 0; view < context->view_count; view++) {
		if (switch_view(view) != 0 || view_tag() != (SS_VIEW_TAG | view))
			finish(1);
		log_line("the tag page of this view shows ", view_tag());
	}
	switch_view(0);
	finish(0);
}
