/* SPDX-License-Identifier: GPL-2.0-only */
/* Documentation from the tables behind the program: one file for each kind. */
#ifndef DOCS_GEN_DOCS_H
#define DOCS_GEN_DOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "vmm/cli/cli.h"

struct exit_status_row {
	int value;
	const char *meaning;
};

extern const struct exit_status_row exit_statuses[];
extern const size_t exit_status_count;

/* scdoc source of a page of the manual: the template with its @SECTION@ lines filled. Returns an exit status. */
int print_man(const char *path);

/* Completion for a shell. */
int print_bash(void);
int print_zsh(void);
int print_fish(void);

/* A table of the documents as Markdown. */
struct markdown_table {
	const char *name;
	void (*print)(void);
};

extern const struct markdown_table markdown_tables[];
extern const size_t markdown_table_count;

#endif
