/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints documentation from the tables behind the program, at build time:
 *   gen-docs man TEMPLATE   scdoc source of a page of the manual: the template with its @SECTION@ lines filled
 *   gen-docs bash|zsh|fish  completion for that shell
 *   gen-docs NAME           a Markdown table; tests/docs compares them with the documents
 */
#include "gen-docs.h"

#include <stdio.h>

const struct exit_status_row exit_statuses[] = {
#define X(value, name, meaning) {value, meaning},
	EXIT_STATUSES(X)
#undef X
};

const size_t exit_status_count = sizeof(exit_statuses) / sizeof(exit_statuses[0]);

static int usage(void)
{
	fputs("usage: gen-docs man TEMPLATE | bash | zsh | fish", stderr);
	for (size_t i = 0; i < markdown_table_count; i++)
		fprintf(stderr, " | %s", markdown_tables[i].name);
	fputc('\n', stderr);
	return 2;
}

static int run(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "man") == 0)
		return print_man(argv[2]);
	if (argc != 2)
		return usage();
	if (strcmp(argv[1], "bash") == 0)
		return print_bash();
	if (strcmp(argv[1], "zsh") == 0)
		return print_zsh();
	if (strcmp(argv[1], "fish") == 0)
		return print_fish();
	for (size_t i = 0; i < markdown_table_count; i++)
		if (strcmp(argv[1], markdown_tables[i].name) == 0) {
			markdown_tables[i].print();
			return 0;
		}
	return usage();
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	return fflush(stdout) == 0 && !ferror(stdout) ? status : 1;
}
