/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/printable.h"

#include <string.h>

#include "devices/console.h"

#define GAP "..."

size_t printable_text(char *out, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text; text++) {
		char escaped[4];
		size_t length = console_escape(escaped, (unsigned char)*text, false);

		if (used + length >= size)
			break;
		memcpy(out + used, escaped, length);
		used += length;
	}
	out[used] = '\0';
	return used;
}

/* The longest end of a text that takes no more than `room`. */
static const char *end_of(const char *text, size_t room)
{
	const char *start = text + strlen(text);
	char escaped[4];

	while (start > text) {
		size_t length = console_escape(escaped, (unsigned char)start[-1], false);

		if (length > room)
			break;
		room -= length;
		start--;
	}
	return start;
}

void printable_shorten(char *out, size_t size, const char *text)
{
	size_t used;

	if (end_of(text, size - 1) == text) {
		printable_text(out, size, text);
		return;
	}
	used = printable_text(out, size / 2, text);
	strcpy(out + used, GAP);
	used += strlen(GAP);
	printable_text(out + used, size - used, end_of(text, size - used - 1));
}

void printable_put(FILE *stream, const char *text)
{
	for (; *text; text++) {
		char escaped[4];

		fwrite(escaped, 1, console_escape(escaped, (unsigned char)*text, false), stream);
	}
}

void printable_xml(FILE *stream, const char *text)
{
	static const char special[] = "<>&\"", *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;"};

	for (; *text; text++) {
		const char *found = strchr(special, *text);

		if (found)
			fputs(entities[found - special], stream);
		else
			fputc(*text < ' ' || *text > '~' ? '?' : *text, stream);
	}
}
