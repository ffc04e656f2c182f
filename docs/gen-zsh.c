/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion for zsh: specifications for _arguments. */
#include "gen-complete.h"

#include <stdio.h>
#include <string.h>

/* In single quotes and brackets. */
static void zsh_print(const char *text, size_t length)
{
	complete_print(text, length, "'\\''", "[]\\");
}

/* Options that appear again and again add up if their meaning says so; zsh offers others once. */
static bool repeatable(const struct option_row *option)
{
	return option->access == FILE_READ_EACH || option->access == FILE_PLACED_EACH ||
	       strstr(option->meaning, "repeat for ") || strstr(option->meaning, "may be repeated");
}

static void zsh_argument(const struct option_row *option)
{
	struct completion completion;

	complete_argument(option, &completion);
	printf(":%s:", option->argument);
	switch (completion.kind) {
	case COMPLETE_WORDS:
		printf("(%s)", completion.words);
		break;
	case COMPLETE_FLAGS:
		fputs("_sidestep_flags", stdout);
		break;
	case COMPLETE_FILES:
		fputs("_files", stdout);
		break;
	default:
		putchar(' '); /* only the message */
	}
}

static void zsh_option(const struct option_row *option)
{
	const char *next = option->argument ? "+" : "", *equals = option->argument ? "=" : "";

	fputs(" \\\n\t\t\t'", stdout);
	if (strcmp(option->name, "help") == 0)
		fputs("(- *)", stdout);
	else if (repeatable(option))
		putchar('*');
	else if (option->letter)
		printf("(-%c --%s)", option->letter, option->name);
	if (option->letter)
		printf("'{-%c%s,--%s%s}'[", option->letter, next, option->name, equals);
	else
		printf("--%s%s[", option->name, equals);
	zsh_print(option->meaning, complete_clause(option->meaning));
	putchar(']');
	if (option->argument)
		zsh_argument(option);
	putchar('\'');
}

/* "FILE [GUEST]" and the like. */
static void zsh_operands(const struct command_row *command)
{
	const char *action = complete_operands(command) == COMPLETE_OPERATIONS ? "_sidestep_operations" : "_files";

	for (const char *at = command->operands; *at; at += strspn(at, " ].")) {
		bool optional = *at == '[';
		size_t length = strcspn(at += optional, " ].");

		printf(" \\\n\t\t\t'%s:%.*s:%s'", at[length] == '.' ? "*" : optional ? ":" : "", (int)length, at,
		       action);
		at += length;
	}
}

int print_zsh(void)
{
	puts("#compdef sidestep\n"
	     "# SPDX-License-Identifier: GPL-2.0-only\n"
	     "# Generated from the tables behind the command line; do not edit.\n"
	     "\n"
	     "_sidestep_commands() {\n"
	     "\tlocal -a commands=(");
	for (size_t i = 0; i < command_count; i++) {
		printf("\t\t'%s:", commands[i].name);
		complete_print(commands[i].meaning, complete_clause(commands[i].meaning), "'\\''", "\\");
		puts("'");
	}
	puts("\t\t'help:" COMPLETE_HELP_COMMAND "'\n"
	     "\t)\n"
	     "\n"
	     "\t_describe -t commands command commands\n"
	     "}\n"
	     "\n"
	     "# ts,mp and so on\n"
	     "_sidestep_flags() {");
	fputs("\t_values -s , flag ", stdout);
	complete_print_flags();
	puts("\n"
	     "}\n"
	     "\n"
	     "# A table of names, needs and meanings.\n"
	     "_sidestep_operations() {\n"
	     "\tlocal line\n"
	     "\tlocal -a operations lines=(${(f)\"$(_call_program operations $program test --list)\"})\n"
	     "\tlocal -i at=${lines[1][(i)MEANING]}\n"
	     "\n"
	     "\tfor line in ${lines[2,-1]}; do\n"
	     "\t\toperations+=(\"${line%% *}:${line[at,-1]}\")\n"
	     "\tdone\n"
	     "\t_describe -t operations operation operations\n"
	     "}\n"
	     "\n"
	     "_sidestep() {\n"
	     "\tlocal curcontext=$curcontext state state_descr line program=$words[1]\n"
	     "\tlocal -A opt_args\n"
	     "\n"
	     "\t_arguments -C -A '-*' \\\n"
	     "\t\t'(- *)'{-h,--help}'[" COMPLETE_HELP "]' \\\n"
	     "\t\t'(- *)'{-V,--version}'[" COMPLETE_VERSION "]' \\\n"
	     "\t\t'1:command:_sidestep_commands' \\\n"
	     "\t\t'*:: :->arguments' && return\n"
	     "\t[[ $state == arguments ]] || return\n"
	     "\n"
	     "\tcurcontext=${curcontext%:*:*}:sidestep-$words[1]:\n"
	     "\tcase $words[1] in\n"
	     "\thelp)\n"
	     "\t\t_arguments '1:command:_sidestep_commands' ;;");
	for (size_t i = 0; i < command_count; i++) {
		printf("\t%s)\n\t\t_arguments -s -S", commands[i].name);
		for (size_t j = 0; j < option_count; j++)
			if (option_applies(&options[j], &commands[i]))
				zsh_option(&options[j]);
		zsh_operands(&commands[i]);
		puts(" ;;");
	}
	puts("\tesac\n"
	     "}\n"
	     "\n"
	     "_sidestep \"$@\"");
	return 0;
}
