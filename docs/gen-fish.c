/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion for fish: a line for each row of the tables. */
#include "gen-complete.h"

#include <stdio.h>
#include <string.h>

static void fish_meaning(const char *meaning)
{
	fputs(" -d '", stdout);
	complete_print(meaning, complete_clause(meaning), "\\'", "\\");
	puts("'");
}

static void fish_option(const struct option_row *option)
{
	struct completion completion;

	fputs("complete -c sidestep -n '__sidestep_in", stdout);
	for (size_t i = 0; i < command_count; i++)
		if (option_applies(option, &commands[i]))
			printf(" %s", commands[i].name);
	putchar('\'');
	if (option->letter)
		printf(" -s %c", option->letter);
	printf(" -l %s", option->name);
	if (option->argument) {
		complete_argument(option, &completion);
		fputs(completion.kind == COMPLETE_FILES ? " -r -F" : " -x", stdout);
		if (completion.kind == COMPLETE_WORDS)
			printf(" -a '%s'", completion.words);
		else if (completion.kind == COMPLETE_FLAGS)
			fputs(" -a '(__sidestep_flags)'", stdout);
	}
	fish_meaning(option->meaning);
}

/* For the commands whose operands are of that kind, until there are as many as they take. */
static void fish_operands(enum completion_kind kind, const char *completion)
{
	for (size_t i = 0; i < command_count; i++)
		if (complete_operands(&commands[i]) == kind)
			printf("complete -c sidestep -n '__sidestep_in %s; and __sidestep_room %u' %s\n", commands[i].name,
			       complete_operands_most(&commands[i]), completion);
}

int print_fish(void)
{
	puts("# fish completion for sidestep\n"
	     "# SPDX-License-Identifier: GPL-2.0-only\n"
	     "# Generated from the tables behind the command line; do not edit.\n"
	     "\n"
	     "function __sidestep_first -d 'Whether no word is before the current one'\n"
	     "    test (count (commandline -opc)) -eq 1\n"
	     "end\n"
	     "\n"
	     "function __sidestep_wants_command\n"
	     "    set -l words (commandline -opc)\n"
	     "    test \"$words[2..]\" = '' -o \"$words[2..]\" = help\n"
	     "end\n"
	     "\n"
	     "function __sidestep_in -d 'Whether the command is one of these'\n"
	     "    set -l words (commandline -opc)\n"
	     "    contains -- \"$words[2]\" $argv\n"
	     "end\n"
	     "\n"
	     "function __sidestep_room -d 'Whether there are fewer operands than so many, or 0 is given'\n"
	     "    set -l count 0\n"
	     "    set -l before");
	fputs("    set -l with_argument ", stdout);
	complete_print_with_argument();
	puts("\n"
	     "    for word in (commandline -opc)[3..]\n"
	     "        if not contains -- \"$before\" $with_argument; and not string match -q -- '-?*' $word\n"
	     "            set count (math $count + 1)\n"
	     "        end\n"
	     "        set before $word\n"
	     "    end\n"
	     "    test $argv[1] -eq 0 -o $count -lt $argv[1]\n"
	     "end\n"
	     "\n"
	     "function __sidestep_flags -d 'ts,mp and so on'");
	fputs("    __fish_append , ", stdout);
	complete_print_flags();
	puts("\n"
	     "end\n"
	     "\n"
	     "function __sidestep_operations -d 'Names and meanings of a table with needs between them'\n"
	     "    set -l words (commandline -opc)\n"
	     "    command -q $words[1]; or return\n"
	     "    set -l lines ($words[1] test --list 2>/dev/null)\n"
	     "    set -l before (string length -- (string replace MEANING '' -- $lines[1]))\n"
	     "    string replace -rf \"^(?=(\\S+)).{$before}\" '$1\\t' -- $lines[2..]\n"
	     "end\n"
	     "\n"
	     "complete -c sidestep -f");
	for (size_t i = 0; i < command_count; i++) {
		printf("complete -c sidestep -n __sidestep_wants_command -a %s", commands[i].name);
		fish_meaning(commands[i].meaning);
	}
	puts("complete -c sidestep -n __sidestep_wants_command -a help -d '" COMPLETE_HELP_COMMAND "'\n"
	     "complete -c sidestep -n __sidestep_first -s h -l help -d '" COMPLETE_HELP "'\n"
	     "complete -c sidestep -n __sidestep_first -s V -l version -d '" COMPLETE_VERSION "'\n");
	fish_operands(COMPLETE_OPERATIONS, "-a '(__sidestep_operations)'");
	fish_operands(COMPLETE_FILES, "-F");
	putchar('\n');
	for (size_t i = 0; i < option_count; i++)
		fish_option(&options[i]);
	return 0;
}
