/* SPDX-License-Identifier: MIT */
/*
 * A guest of three modules (isolated.ld) that has a stranger's message parsed. docs/views.md, "From nothing to a caught
 * violation", builds and runs it.
 */
#include "guest.h"
#include "isolated.h"

__asm__(".section .text.start, \"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	cld\n"
	"	call guest_main\n"
	".text\n");

static void say(const char *text)
{
	for (; *text; text++)
		out8(SS_PORT_DEBUG, (uint8_t)*text);
}

static void say_number(uint64_t number)
{
	int shift = 60;

	while (shift > 0 && !(number >> shift))
		shift -= 4;
	say("0x");
	for (; shift >= 0; shift -= 4)
		out8(SS_PORT_DEBUG, (uint8_t)"0123456789abcdef"[number >> shift & 15]);
}

static uint64_t answer(uint64_t wanted)
{
	int64_t status;
	uint64_t field;

	parser_message = (struct message){.wanted = wanted, .fields = {0x10, 0x11, 0x12, 0x13}};
	field = gate_parse(&status);
	say("field ");
	say_number(wanted);
	say(" is ");
	say_number(field);
	say(status ? " (there is no view for the parser)\n" : "\n");
	return field;
}

_Noreturn void guest_main(struct ss_context *context, uint64_t index);
_Noreturn void guest_main(struct ss_context *context, uint64_t index)
{
	uint64_t key, far;

	if (index != 0)
		for (;;)
			__asm__ volatile("cli; hlt");
	gate_prepare(context);
	key = vault_sign(1);
	answer(2);
	/* A stranger who has the program knows how far it is from the message to the key. */
	far = ((uint64_t)&vault_key - (uint64_t)parser_message.fields) / sizeof(uint64_t);
	if (answer(far) == key) {
		say("which is the vault's key\n");
		finish(1);
	}
	say("which is not the vault's key\n");
	finish(0);
}
