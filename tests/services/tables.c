/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says in one line what the VMM has configured for this VM, by trying: which services there are, where a write of TS
 * ends, and what the words in the context area say of TS and MP. Every vCPU and VM of a run says so for itself.
 */
#include "guest.h"

#define LINE_MAX 160

static char line[LINE_MAX];
static unsigned length;

static void say(const char *text)
{
	while (*text && length < LINE_MAX)
		line[length++] = *text++;
}

static void print(void)
{
	struct ss_request request = {.size = sizeof(request), .number = SS_REQUEST_LOG,
				     .arg = {(uint64_t)line, length}};

	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uint64_t)&request), "Nd"((uint16_t)SS_PORT_CONTROL)
			 : "memory");
	check(1, request.status == 0);
}

/* Of each a call that does nothing: of the view that is active, and of what there is not. */
static void try_services(void)
{
	static const char *const names[] = {" view", " map", " interrupt", " pin", " unpin"};

	for (uint32_t number = 0; number < sizeof(names) / sizeof(names[0]); number++) {
		const struct outcome outcome = invoke(number, number == SS_SERVICE_MAP ? 1000 : 0, 0, 0);

		say(names[number]);
		say(outcome.vector == UD ? ":ud" : outcome.vector == GP ? ":gp" : ":served");
	}
}

static uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

/* The processor obeys the register. */
static void try_ts(void)
{
	static _Alignas(16) uint8_t area[512];
	register uint64_t vector __asm__("r11") = 0;

	__asm__ volatile("mov %0, %%cr0" : : "r"(read_cr0() | SS_CR0_TS) : "memory");
	say(read_cr0() & SS_CR0_TS ? " ts:set" : " ts:clear");
	__asm__ volatile("	lea 1f(%%rip), %%r14\n"
			 "	fxsave %1\n"
			 "1:\n"
			 : "+r"(vector), "=m"(area)
			 :
			 : "r14", "memory");
	say(vector == NM ? ",loaded" : ",not-loaded");
	__asm__ volatile("mov %0, %%cr0" : : "r"(read_cr0() & ~(uint64_t)SS_CR0_TS) : "memory");
}

static void say_words(const struct ss_flag_words *words)
{
	check(2, words->embodiment == SS_EMBODIMENT_TWO_WORDS);
	say(" words:");
	say(words->words[0] & SS_CR0_TS ? "ts" : "");
	say(words->words[0] & SS_CR0_MP ? "mp" : "");
	say("/");
	say(words->words[1] & SS_CR0_TS ? "ts" : "");
	say(words->words[1] & SS_CR0_MP ? "mp" : "");
}

__attribute__((section(".text.start"))) _Noreturn void _start(struct ss_context *given, uint64_t index);
_Noreturn void _start(struct ss_context *given, uint64_t index)
{
	const struct ss_vcpu_page *page;
	char number[] = "vm0";

	context = given;
	page = (const void *)(context->vcpu_page_gpa + 4096 * index);
	catch_exceptions();
	number[2] = (char)('0' + context->vm_index);
	say(number);
	try_services();
	try_ts();
	say_words(&page->cr0);
	say("\n");
	print();
	leave(0);
}
