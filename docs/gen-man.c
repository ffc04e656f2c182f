/* SPDX-License-Identifier: GPL-2.0-only */
/* The manual pages: what people wrote, with the tables of the program and of the documents filled in. */
#include "gen-docs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/observe/probe.h"

#define CELLS_MAX 8
#define LINE_SIZE 4096

/* scdoc reads these characters as markup. What stands between backticks is bold; with `marked`, between stars too. */
static void put_text(const char *text, bool marked)
{
	for (; *text; text++) {
		if (*text == '`') {
			putchar('*');
			continue;
		}
		if (strchr("\\_#<>[|", *text) || (*text == '*' && !marked))
			putchar('\\');
		putchar(*text);
	}
}

static void put_bold(const char *text)
{
	putchar('*');
	put_text(text, false);
	putchar('*');
}

/* A cell of Markdown without its escapes, and, where it is not to be bold by them, its backticks. */
static void plain(char *cell, bool code)
{
	char *to = cell;

	for (char *from = cell; *from; from++)
		if ((*from != '\\' || from[1] != '|') && (*from != '`' || !code))
			*to++ = *from;
	*to = '\0';
}

/* The cells of a row of Markdown; `line` is taken apart. */
static size_t split(char *line, char *cells[CELLS_MAX])
{
	size_t count = 0;
	char *end;

	for (line += strspn(line, "| "); *line && count < CELLS_MAX; line = end) {
		end = strstr(line, " |");
		while (end && end[-1] == '\\')
			end = strstr(end + 2, " |");
		if (!end)
			break;
		*end = '\0';
		cells[count++] = line;
		end += 2;
		end += *end == ' ';
	}
	return count;
}

/* What the documents have as a table. Whoever prints one prints to standard output, which glibc lets us exchange. */
static char *captured_table(const char *name)
{
	FILE *before = stdout;
	char *text = NULL;
	size_t size;

	for (size_t i = 0; i < markdown_table_count; i++) {
		if (strcmp(markdown_tables[i].name, name) != 0)
			continue;
		stdout = open_memstream(&text, &size);
		if (stdout) {
			markdown_tables[i].print();
			fclose(stdout);
		}
		stdout = before;
	}
	return text;
}

/* The name, the middle cells with their headings, and the last cell as its meaning. */
static void put_row(char *const *cells, char *const *headings, size_t count)
{
	bool more = false;

	plain(cells[0], true);
	put_bold(cells[0]);
	for (size_t i = 1; i + 1 < count; i++) {
		if (cells[i][0] == '\0')
			continue;
		plain(cells[i], true);
		fputs(more ? ", " : " (", stdout);
		put_text(headings[i], false);
		putchar(' ');
		put_text(cells[i], false);
		more = true;
	}
	fputs(more ? ")\n\t" : "\n\t", stdout);
	plain(cells[count - 1], false);
	put_text(cells[count - 1], false);
	puts("\n");
}

/* In a line of names, each with its last cell. */
static void put_item(char *const *cells, size_t count, bool first)
{
	plain(cells[0], true);
	fputs(first ? "" : ",\n", stdout);
	put_text(cells[0], false);
	printf(" (%s)", cells[count - 1]);
}

static bool put_table(const char *name, bool list)
{
	char *text = captured_table(name), *rest = text, *headings[CELLS_MAX], *cells[CELLS_MAX], *line;

	if (!text)
		return false;
	split(strsep(&rest, "\n"), headings);
	strsep(&rest, "\n");
	for (bool first = true; (line = strsep(&rest, "\n")) && *line; first = false) {
		size_t count = split(line, cells);

		if (list)
			put_item(cells, count, first);
		else
			put_row(cells, headings, count);
	}
	if (list)
		putchar('\n');
	free(text);
	return true;
}

static bool man_table(const char *name)
{
	return put_table(name, false);
}

static bool man_list(const char *name)
{
	return put_table(name, true);
}

/* The head of a command's page, up to where its options begin. */
static bool man_command(const char *name)
{
	const struct command_row *command = command_by_name(name);

	if (!command)
		return false;
	printf("# NAME\n\nsidestep-%s - ", name);
	put_text(command->meaning, false);
	printf("\n\n# SYNOPSIS\n\n*sidestep %s* [_options_] ", name);
	put_text(command->operands, false);
	printf("\n\n# DESCRIPTION\n\n");
	put_text(command->more, true);
	puts("");
	return true;
}

static bool man_options(const char *name)
{
	const struct command_row *command = command_by_name(name);

	for (size_t i = 0; command && i < option_count; i++) {
		const struct option_row *option = &options[i];

		if (!option_applies(option, command))
			continue;
		if (option->letter)
			printf("*-%c*, ", option->letter);
		printf("*--%s*", option->name);
		if (option->argument)
			printf(" _%s_", option->argument);
		fputs("\n\t", stdout);
		put_text(option->meaning, false);
		puts("\n");
	}
	return command;
}

static bool man_commands(const char *none)
{
	for (size_t i = 0; i < command_count; i++) {
		printf("*sidestep-%s*(1)\n\t", commands[i].name);
		put_text(commands[i].meaning, false);
		puts("\n");
	}
	return !*none;
}

static bool man_probes(const char *none)
{
	for (size_t i = 0; i < probe_count; i++) {
		put_bold(probes[i].name);
		fputs("\n\t", stdout);
		put_text(probes[i].meaning, false);
		fputs("\n\n\t", stdout);
		for (int j = 0; probes[i].arguments[j].name; j++) {
			fputs(j ? ", _" : "_", stdout);
			put_text(probes[i].arguments[j].name, false);
			fputs("_ (", stdout);
			put_text(probes[i].arguments[j].meaning, false);
			putchar(')');
		}
		puts("\n");
	}
	return !*none;
}

/* What a line of the form @WORD argument@ stands for. */
static const struct {
	const char *word;
	bool (*print)(const char *argument);
} sections[] = {
	{"COMMAND", man_command}, {"OPTIONS", man_options}, {"COMMANDS", man_commands},
	{"TABLE", man_table},	  {"LIST", man_list},	    {"PROBES", man_probes},
};

static bool print_section(const char *line)
{
	char word[16] = "", argument[32] = "";

	sscanf(line, "@%15[A-Z] %31[a-z0-9-]@", word, argument);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(word, sections[i].word) == 0)
			return sections[i].print(argument);
	return false;
}

/* "name.section.scd.in" becomes the title that a page begins with. */
static void put_title(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const int length = (int)strcspn(name, ".");

	printf("%.*s(%c) \"sidestep %s\" \"sidestep\"\n\n", length, name, name[length + 1], SIDESTEP_VERSION);
}

int print_man(const char *path)
{
	FILE *template = fopen(path, "r");
	char line[LINE_SIZE];

	if (!template) {
		perror(path);
		return 1;
	}
	put_title(path);
	while (fgets(line, sizeof(line), template)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '@') {
			puts(line);
		} else if (!print_section(line)) {
			fprintf(stderr, "%s: unknown section %s\n", path, line);
			fclose(template);
			return 1;
		}
	}
	fclose(template);
	return 0;
}
