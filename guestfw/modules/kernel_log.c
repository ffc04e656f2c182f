/* SPDX-License-Identifier: MIT */
/* Text for people, a line at a time. */
#include "kernel.h"

#define ROOM (SS_LOG_MAX / 4)

static char line[ROOM];
static unsigned length;

static void put(char c)
{
	if (length < ROOM - 1)
		line[length++] = c;
}

void say(const char *text)
{
	while (*text)
		put(*text++);
}

void say_number(uint64_t number)
{
	char digits[20];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count > 0)
		put(digits[--count]);
}

void say_hex(uint64_t number)
{
	int shift = 60;

	say("0x");
	while (shift > 0 && number >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		put("0123456789abcdef"[number >> shift & 15]);
}

void say_line(void)
{
	put('\n');
	page->request.arg[0] = (uint64_t)line;
	page->request.arg[1] = length;
	request(page, SS_REQUEST_LOG);
	length = 0;
}
