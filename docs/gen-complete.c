/* SPDX-License-Identifier: GPL-2.0-only */
#include "gen-complete.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "views/control_flag.h"

/* A list of options has its names on the left of these, and 80 columns. */
#define CLAUSE_MAX 62

/* What follows a remark such as " (default)". */
static const char *skip_remark(const char *at)
{
	const char *end = strncmp(at, " (", 2) == 0 ? strchr(at, ')') : NULL;

	return end ? end + 1 : at;
}

/*
 * The words of a list "a, b or c" at the beginning of the text, separated by spaces; a word may have a remark
 * behind it, and the last one need not have "or" before it if nothing follows. Returns what follows the list, or
 * NULL if there is none.
 */
static const char *word_list(const char *at, char *words, size_t size)
{
	size_t used = 0;
	bool last = false, comma;

	for (;;) {
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");
		const char *next = skip_remark(at + length);

		if (length == 0 || used + length + 2 > size)
			return NULL;
		if (last || (used && *next == '\0')) {
			snprintf(words + used, size - used, " %.*s", (int)length, at);
			return at + length;
		}
		used += (size_t)snprintf(words + used, size - used, "%s%.*s", used ? " " : "", (int)length, at);
		comma = *next == ',';
		next += comma;
		last = strncmp(next, " or ", 4) == 0;
		if (!last && !(comma && *next == ' '))
			return NULL;
		at = next + (last ? 4 : 1);
	}
}

/* The values of an option, if its meaning is a list of them, or has one behind what it says first. */
static const char *option_values(const struct option_row *option, char *words, size_t size)
{
	const char *said = strstr(option->meaning, ": ");
	const char *end = word_list(option->meaning, words, size);

	return end || !said ? end : word_list(said + 2, words, size);
}

void complete_print_flags(void)
{
	for (size_t i = 0; i < control_flag_count; i++) {
		if (control_flags[i].fixed)
			continue;
		for (const char *name = control_flags[i].name; *name; name++)
			putchar(tolower((unsigned char)*name));
		putchar(' ');
	}
	fputs("none", stdout);
}

void complete_argument(const struct option_row *option, struct completion *ret_completion)
{
	struct completion completion = {COMPLETE_NOTHING, ""};

	if (option->access != FILE_NONE) {
		completion.kind = COMPLETE_FILES;
	} else if (strcmp(option->argument, "FLAGS") == 0) {
		completion.kind = COMPLETE_FLAGS;
	} else if (option_values(option, completion.words, sizeof(completion.words))) {
		completion.kind = COMPLETE_WORDS;
	} else {
		completion.words[0] = '\0'; /* of what was no list after all */
	}
	*ret_completion = completion;
}

enum completion_kind complete_operands(const struct command_row *command)
{
	if (strstr(command->operands, "PATTERN"))
		return COMPLETE_OPERATIONS;
	return command->operands[0] ? COMPLETE_FILES : COMPLETE_NOTHING;
}

unsigned complete_operands_most(const struct command_row *command)
{
	unsigned words = command->operands[0] != '\0';

	for (const char *at = command->operands; *at; at++)
		words += *at == ' ';
	return strstr(command->operands, "...") ? 0 : words;
}

void complete_print_option(const struct option_row *option, const char *before)
{
	fputs(before, stdout);
	if (option->letter)
		printf("-%c ", option->letter);
	printf("--%s", option->name);
}

void complete_print_with_argument(void)
{
	const char *before = "";

	for (size_t i = 0; i < option_count; i++) {
		bool again = !options[i].argument;

		/* Each command may have a row of its own. */
		for (size_t j = 0; j < i; j++)
			again |= strcmp(options[j].name, options[i].name) == 0;
		if (again)
			continue;
		complete_print_option(&options[i], before);
		before = " ";
	}
}

static bool ends_clause(const char *at)
{
	return strncmp(at, "; ", 2) == 0 || strncmp(at, ": ", 2) == 0 || strncmp(at, ", ", 2) == 0 ||
	       strncmp(at, " (", 2) == 0;
}

size_t complete_clause(const char *meaning)
{
	char words[sizeof(((struct completion *)NULL)->words)];
	const char *listed = word_list(meaning, words, sizeof(words));
	size_t end = strlen(meaning), depth = 0;

	if (end <= CLAUSE_MAX)
		return end;
	/* A list of values is shown whole where it is all that is said, else not at all: they are completed. */
	for (const char *at = listed ? listed : meaning; *at; at++) {
		if (depth == 0 && ends_clause(at)) {
			if (at - meaning > CLAUSE_MAX && end <= CLAUSE_MAX)
				break;
			end = (size_t)(at - meaning);
			if (end > CLAUSE_MAX || (!listed && *at == ':' && word_list(at + 2, words, sizeof(words))))
				break;
		}
		depth += *at == '(';
		depth -= *at == ')';
	}
	return end;
}

void complete_print(const char *text, size_t length, const char *quote, const char *special)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\'') {
			fputs(quote, stdout);
			continue;
		}
		if (strchr(special, text[i]))
			putchar('\\');
		putchar(text[i]);
	}
}
