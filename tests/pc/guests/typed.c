/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says again what is typed, a line at a time, until the line "end". Bytes arrive by interrupts. With one of these words
 * on its command line something else: "keys" shows each byte, until a NUL; "sum" counts them up to a NUL; "deaf" takes
 * none, for ever; "red" prints as a terminal's program does.
 */
#include "pc.h"

#define SERIAL 0x3f8
#define RECEIVE 1

static volatile char ring[256];
static volatile uint32_t taken, given;

static bool is_full(void)
{
	return taken - given == sizeof(ring);
}

/* Whoever types may be faster than we are: what there is no room for stays where it is. */
INTERRUPT(receive)
{
	while (!is_full() && inb(SERIAL + 5) & 1)
		ring[taken++ % sizeof(ring)] = (char)inb(SERIAL);
	if (is_full())
		outb(SERIAL + 1, 0);
	pic_end(4);
}

static char next(void)
{
	if (given == taken)
		outb(SERIAL + 1, RECEIVE);
	while (given == taken)
		wait_for_interrupt();
	return ring[given++ % sizeof(ring)];
}

static void listen(void)
{
	set_gate(PIC_BASE + 4, receive);
	load_gates();
	pic_setup(1 << 4);
	outb(SERIAL + 4, 0x0b);
	print("ready\n");
}

static void say_lines(void)
{
	char line[80];
	size_t length = 0;

	for (;;) {
		char c = next();

		if (c != '\n' && c != '\r') {
			check(length + 1 < sizeof(line), "lines are short");
			line[length++] = c;
			continue;
		}
		line[length] = 0;
		print("typed: ");
		print(line);
		print("\n");
		if (length == 3 && !memcmp(line, "end", 3))
			return;
		length = 0;
	}
}

static void show_keys(void)
{
	char c;

	do {
		c = next();
		print("<");
		print_hex((uint8_t)c);
		print(">");
	} while (c);
	print("\n");
}

/* Of any number, by looking: FNV-1a of 32 bits. */
static void sum_up(void)
{
	uint32_t sum = 2166136261, count = 0;
	uint8_t byte;

	outb(SERIAL + 1, 0);
	outb(SERIAL + 2, 1);
	for (;;) {
		while (!(inb(SERIAL + 5) & 1))
			cpu_pause();
		byte = inb(SERIAL);
		if (byte == 0)
			break;
		sum = (sum ^ byte) * 16777619;
		count++;
	}
	print_number(count);
	print(" bytes, ");
	print_hex(sum);
	print("\n");
}

int guest(const struct multiboot *told)
{
	if (has_word(told, "red"))
		print("\033[31mred\033[0m\n");
	if (has_word(told, "deaf")) {
		pic_setup(0);
		print("deaf\n");
		for (;;)
			wait_for_interrupt();
	}
	listen();
	if (has_word(told, "keys"))
		show_keys();
	else if (has_word(told, "sum"))
		sum_up();
	else
		say_lines();
	return 0;
}
