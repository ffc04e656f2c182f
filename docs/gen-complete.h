/* SPDX-License-Identifier: GPL-2.0-only */
/* What completion in any shell has to know of the tables behind the command line. */
#ifndef DOCS_GEN_COMPLETE_H
#define DOCS_GEN_COMPLETE_H

#include "gen-docs.h"

/* Of the program rather than of a command, so no table has them. */
#define COMPLETE_HELP_COMMAND "print the help of a command"
#define COMPLETE_HELP "print this help"
#define COMPLETE_VERSION "print the version"

enum completion_kind {
	COMPLETE_NOTHING,
	COMPLETE_WORDS,
	COMPLETE_FLAGS, /* of control registers, separated by commas */
	COMPLETE_FILES,
	COMPLETE_OPERATIONS, /* what `sidestep test --list` names */
};

struct completion {
	enum completion_kind kind;
	char words[128]; /* separated by spaces; empty, if it is another kind */
};

/* Of the argument of an option that has one. */
void complete_argument(const struct option_row *option, struct completion *ret_completion);

enum completion_kind complete_operands(const struct command_row *command);

/* How many operands a command takes; 0: as many as one likes, or none. */
unsigned complete_operands_most(const struct command_row *command);

/* Prints an option as it is typed, with its letter if it has one, behind what separates it from the one before. */
void complete_print_option(const struct option_row *option, const char *before);

/* Prints the options of all commands that have an argument, as they are typed, separated by spaces: a word behind one of
 * them is no operand. */
void complete_print_with_argument(void);

/* Prints the flags of control registers that somebody can own, separated by spaces. */
void complete_print_flags(void);

/* How much of a meaning a list shows, of options or commands: all, or as many clauses as fit into a line. */
size_t complete_clause(const char *meaning);

/*
 * Prints text for single quotes: a quote of its own becomes the given one, and each of the special characters
 * has a backslash before it.
 */
void complete_print(const char *text, size_t length, const char *quote, const char *special);

#endif
