/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion for bash. */
#include "gen-docs.h"

#include <stdio.h>
#include <string.h>

/*
 * The values of an option whose meaning starts with a list of them, "a, b or c", separated by
 * spaces; false if it does not.
 */
static bool option_values(const struct option_row *option, char *values, size_t size)
{
	const char *at = option->meaning;
	size_t used = 0;
	bool last = false;

	for (;;) {
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");

		if (length == 0 || used + length + 2 > size)
			return false;
		if (used)
			values[used++] = ' ';
		memcpy(values + used, at, length);
		used += length;
		values[used] = '\0';
		at += length;
		if (last)
			return true;
		last = strncmp(at, " or ", 4) == 0;
		if (!last && strncmp(at, ", ", 2) != 0)
			return false;
		at += last ? 4 : 2;
	}
}

static void bash_values(const struct command_row *command)
{
	printf("\t%s)\n\t\tcase $option in\n", command->name);
	for (size_t i = 0; i < option_count; i++) {
		char values[128];

		if (!applies(&options[i], command) || !options[i].argument)
			continue;
		fputs("\t\t", stdout);
		if (options[i].letter)
			printf("-%c | ", options[i].letter);
		printf("--%s) ", options[i].name);
		if (option_values(&options[i], values, sizeof(values)))
			printf("kind=words words='%s' ;;\n", values);
		else
			printf("kind=%s ;;\n", strcmp(options[i].argument, "FILE") == 0 ? "files" : "any");
	}
	fputs("\t\tesac\n\t\toptions='", stdout);
	for (size_t i = 0; i < option_count; i++)
		if (applies(&options[i], command))
			printf("%s--%s", i ? " " : "", options[i].name);
	printf("'\n\t\toperands=%s ;;\n",
	       strstr(command->operands, "PATTERN") ? "operations" :
	       command->operands[0]		    ? "files" :
						      "none");
}

int print_bash(void)
{
	puts("# bash completion for sidestep                              -*- shell-script -*-\n"
	     "# Generated from the tables behind the command line; do not edit.\n"
	     "\n"
	     "_sidestep_reply()\n"
	     "{\n"
	     "\tlocal IFS=$' \\t\\n'\n"
	     "\tCOMPREPLY=($(compgen -W \"$1\" -- \"$current\"))\n"
	     "}\n"
	     "\n"
	     "_sidestep()\n"
	     "{\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
	     "\tlocal option=${COMP_WORDS[COMP_CWORD - 1]} kind= words= options= operands=none\n"
	     "\n"
	     "\tCOMPREPLY=()\n"
	     "\t# --option=value arrives as three words.\n"
	     "\tif [[ $current == = ]]; then\n"
	     "\t\tcurrent=\n"
	     "\telif [[ $option == = ]]; then\n"
	     "\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	     "\tfi\n"
	     "\tif ((COMP_CWORD == 1)); then");
	fputs("\t\t_sidestep_reply '", stdout);
	for (size_t i = 0; i < command_count; i++)
		printf("%s ", commands[i].name);
	puts("--help --version'\n\t\treturn\n\tfi\n\tcase $command in");
	for (size_t i = 0; i < command_count; i++)
		bash_values(&commands[i]);
	puts("\t*) return ;;\n"
	     "\tesac\n"
	     "\tif [[ -z $kind && $current == -* ]]; then\n"
	     "\t\t_sidestep_reply \"$options\"\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase ${kind:-$operands} in\n"
	     "\twords) _sidestep_reply \"$words\" ;;\n"
	     "\tfiles) compopt -o default 2>/dev/null ;;\n"
	     "\toperations)\n"
	     "\t\t_sidestep_reply \"$(\"${COMP_WORDS[0]}\" test --list 2>/dev/null |\n"
	     "\t\t\tsed -n '2,$s/ .*//p')\" ;;\n"
	     "\tesac\n"
	     "}\n"
	     "\n"
	     "complete -F _sidestep sidestep");
	return 0;
}

/* Markdown tables. */
