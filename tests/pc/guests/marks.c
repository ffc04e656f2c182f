/* SPDX-License-Identifier: GPL-2.0-only */
/* Names what it does, as docs/guest-abi.md says, rightly and wrongly. The command line says what of it. */
#include "guestfw/mark.h"
#include "pc.h"

#define UNCLAIMED 0x80
#define NAMES 256 /* that there may be */

static void touch(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		outb(UNCLAIMED, (uint8_t)i);
}

/* 100 times 10 exits by number, 3 times 4 by name. */
static void good(void)
{
	uint32_t number;

	touch(7);
	sidestep_mark("ten");
	touch(10);
	sidestep_mark("");
	number = sidestep_mark_number();
	check(number == 1, "the first name has number 1");
	for (unsigned i = 1; i < 100; i++) {
		sidestep_mark_again(number);
		touch(10);
	}
	sidestep_mark_again(0);
	touch(5);
	for (unsigned i = 0; i < 3; i++) {
		sidestep_mark("four/<a>,\"b\\;#");
		touch(4);
	}
	check(sidestep_mark_number() == 2, "the second name has number 2");
	sidestep_mark("\n");
	check(sidestep_mark_number() == 2, "an empty name has no number");
	sidestep_mark("none");
	sidestep_mark_again(number);
	touch(10);
	/* It ends as it is. */
	sidestep_mark("last");
}

static void refused(const char *name, const char *what)
{
	sidestep_mark("before");
	touch(1);
	sidestep_mark(name);
	touch(20);
	check(sidestep_mark_number() == 0, what);
}

static void bad(void)
{
	refused("1234567890123456789012345678901234567890", "40 characters are too many");
	refused("a blank", "a blank is no character of a name");
	refused("a\x1b[1m", "nor is what terminals obey");
	refused("\xc3\xa4", "nor what is no ASCII");
	sidestep_mark_again(2);
	touch(20);
	check(sidestep_mark_number() == 0, "a number that no name has");
	sidestep_mark_again(~0u);
	sidestep_mark("123456789012345678901234567890123456789");
	touch(2);
	check(sidestep_mark_number() == 2, "39 characters are not");
}

/* Other sizes and ports do nothing. */
static void odd(void)
{
	sidestep_mark("odd");
	touch(3);
	outw(SIDESTEP_MARK_PORT, 'a');
	for (uint16_t port = SIDESTEP_MARK_PORT + 1; port < SIDESTEP_MARK_PORT + 4; port++) {
		outb(port, 0);
		outw(port, 0);
		outl(port, 0);
		check(inb(port) == 0xff && inl(port) == ~0u, "nothing is there");
	}
	check(inb(SIDESTEP_MARK_PORT) == 0xff && inw(SIDESTEP_MARK_PORT) == 0xffff, "a number has 4 bytes");
}

static void many(void)
{
	char name[] = "name.000";

	for (unsigned i = 0; i <= NAMES; i++) {
		for (unsigned digit = 0, rest = i; digit < 3; digit++, rest /= 10)
			name[sizeof(name) - 2 - digit] = (char)('0' + rest % 10);
		sidestep_mark(name);
		touch(1);
		check(sidestep_mark_number() == (i < NAMES ? i + 1 : 0), "so many names there may be");
	}
	sidestep_mark("name.007");
	check(sidestep_mark_number() == 8, "names that there are stay");
}

/* A name that two processors write at the same time is not mixed. */
static volatile uint32_t turns[2];

static void together(unsigned own)
{
	static const char *const names[] = {"aaaaaaaa", "bbbbbbbb"};

	for (unsigned i = 0; i < 50; i++) {
		sidestep_mark(names[own]);
		touch(own ? 3 : 2);
		turns[own]++;
	}
	sidestep_mark("");
}

void other(void)
{
	together(1);
	turns[1] = ~0u;
}

static void processors(void)
{
	start_others();
	while (turns[1] == 0)
		cpu_pause();
	together(0);
	while (turns[1] != ~0u)
		cpu_pause();
}

static void endless(void)
{
	for (unsigned i = 0;; i++) {
		sidestep_mark(i & 1 ? "endless-1" : "endless-2");
		touch(2);
	}
}

int guest(const struct multiboot *told)
{
	if (has_word(told, "bad"))
		bad();
	else if (has_word(told, "odd"))
		odd();
	else if (has_word(told, "many"))
		many();
	else if (has_word(told, "processors"))
		processors();
	else if (has_word(told, "endless"))
		endless();
	else
		good();
	return 0;
}
