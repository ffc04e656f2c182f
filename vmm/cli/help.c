/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of the command line, laid out for a terminal. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/number.h"
#include "vmm/cli/cli.h"
#include "vmm/output/terminal.h"

#define WIDTH_USUAL 80
#define WIDTH_MIN 40
#define WIDTH_MAX 1000
#define NAME_COLUMNS 24
#define MEANING_MIN 30 /* columns beside a name that words can be read in */
#define INDENT_NARROW 10

/* Columns to write in: COLUMNS, if that is a number, what the terminal has, or 80. */
static size_t width_of(FILE *stream)
{
	const char *text = getenv("COLUMNS"), *end;
	uint64_t number;
	size_t width;

	if (text && number_whole(text, WIDTH_MAX, &number, &end) == 0 && *end == '\0' && number > 0)
		width = (size_t)number;
	else
		width = terminal_columns(stream);
	if (width == 0)
		return WIDTH_USUAL;
	return width < WIDTH_MIN ? WIDTH_MIN : width;
}

/* Writes words up to the width, and further lines below the first word. `column` is where the line has come to. */
static void fold(FILE *stream, const char *text, size_t indent, size_t column, size_t width)
{
	bool first = true;

	while (*text) {
		const size_t length = strcspn(text, " ");

		if (!first && column + 1 + length > width) {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', stream);
			column++;
		}
		fprintf(stream, "%.*s", (int)length, text);
		column += length;
		text += length;
		text += strspn(text, " ");
		first = false;
	}
	fputc('\n', stream);
}

/* A name and what it means: beside it or, if the name is too long for that, below. */
static void put_row(FILE *stream, const char *name, size_t name_columns, const char *meaning, size_t width)
{
	const bool narrow = width < name_columns + MEANING_MIN;
	const size_t indent = narrow ? INDENT_NARROW : 2 + name_columns + 1;

	if (narrow || strlen(name) > name_columns)
		fprintf(stream, "  %s\n%*s", name, (int)indent, "");
	else
		fprintf(stream, "  %-*s ", (int)name_columns, name);
	fold(stream, meaning, indent, indent, width);
}

void cli_help(const struct command_row *command, FILE *stream)
{
	const size_t width = width_of(stream);
	char sentence[128];

	snprintf(sentence, sizeof(sentence), "usage: sidestep %s [options] %s", command->name, command->operands);
	fold(stream, sentence, strlen("usage: "), 0, width);
	fputc('\n', stream);
	snprintf(sentence, sizeof(sentence), "%c%s.", toupper((unsigned char)command->meaning[0]), command->meaning + 1);
	fold(stream, sentence, 0, 0, width);
	fputc('\n', stream);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &options[i];
		char name[48], letter[8] = "    ";

		if (!option_applies(row, command))
			continue;
		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		snprintf(name, sizeof(name), "%s--%s%s%s", letter, row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		put_row(stream, name, NAME_COLUMNS, row->meaning, width);
	}
}

void cli_usage(FILE *stream)
{
	const size_t width = width_of(stream);

	fputs("usage: sidestep COMMAND [options]\n\n", stream);
	for (size_t i = 0; i < command_count; i++)
		put_row(stream, commands[i].name, 8, commands[i].meaning, width);
	fputc('\n', stream);
	fold(stream, "`sidestep help COMMAND` shows a command's options, `man sidestep-COMMAND` says more of them, "
	     "`sidestep -V` prints the version.", 0, 0, width);
}
