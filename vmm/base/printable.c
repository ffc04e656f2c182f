/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/printable.h"

#include <stdbool.h>
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

static bool is_printable(const char *word)
{
	while (*word >= ' ' && *word <= '~')
		word++;
	return *word == '\0';
}

/* In $'' everything else is as it is, but for these two. */
static void put_word(FILE *stream, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+@%-=";
	bool printable = is_printable(word), quoted = word[0] == '\0' || word[strspn(word, plain)] != '\0';

	fputs(!quoted ? "" : printable ? "'" : "$'", stream);
	for (; *word; word++) {
		if (*word < ' ' || *word > '~')
			fprintf(stream, "\\x%02x", (unsigned char)*word);
		else if (*word == '\'' && printable)
			fputs("'\\''", stream);
		else
			fprintf(stream, "%s%c", !printable && (*word == '\'' || *word == '\\') ? "\\" : "", *word);
	}
	fputs(quoted ? "'" : "", stream);
}

void printable_words(char *out, size_t size, char *const *words, int count)
{
	FILE *stream = fmemopen(out, size, "w");

	out[0] = '\0';
	if (!stream)
		return;
	for (int i = 0; i < count; i++) {
		fputs(i ? " " : "", stream);
		put_word(stream, words[i]);
	}
	fclose(stream);
	out[size - 1] = '\0';
}

void printable_append(char *text, size_t size, const char *part)
{
	const size_t used = strlen(text), more = strlen(part);

	if (more < size - used)
		memcpy(text + used, part, more + 1);
}

void printable_time(char out[PRINTABLE_TIME_SIZE], time_t time)
{
	struct tm parts;

	out[0] = '\0';
	if (gmtime_r(&time, &parts))
		strftime(out, PRINTABLE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
