/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion for bash. */
#include "gen-complete.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
	[COMPLETE_NOTHING] = "none", [COMPLETE_WORDS] = "words",	   [COMPLETE_FLAGS] = "flags",
	[COMPLETE_FILES] = "files",  [COMPLETE_OPERATIONS] = "operations",
};

/* The options of a command with arguments of one kind, as one pattern unless each has words of its own. */
static void bash_arguments(const struct command_row *command, enum completion_kind kind)
{
	struct completion completion = {COMPLETE_NOTHING, ""};
	const char *before = "\t\t";

	for (size_t i = 0; i < option_count; i++) {
		if (!option_applies(&options[i], command) || !options[i].argument)
			continue;
		complete_argument(&options[i], &completion);
		if (completion.kind != kind)
			continue;
		fputs(before, stdout);
		if (options[i].letter)
			printf("-%c | ", options[i].letter);
		printf("--%s", options[i].name);
		if (kind == COMPLETE_WORDS)
			printf(") kind=words words='%s' ;;\n", completion.words);
		else
			before = " | ";
	}
	if (before[0] == '\t')
		return;
	printf(") kind=%s", kinds[kind]);
	puts(kind == COMPLETE_FLAGS ? " words=$flags ;;" : " ;;");
}

static void bash_command(const struct command_row *command)
{
	const char *before = "";

	printf("\t%s)\n\t\tcase $option in\n", command->name);
	for (enum completion_kind kind = COMPLETE_NOTHING; kind <= COMPLETE_FILES; kind++)
		bash_arguments(command, kind);
	fputs("\t\tesac\n\t\toptions='", stdout);
	for (size_t i = 0; i < option_count; i++) {
		if (!option_applies(&options[i], command))
			continue;
		complete_print_option(&options[i], before);
		before = " ";
	}
	printf("'\n\t\toperands=%s most=%u ;;\n", kinds[complete_operands(command)], complete_operands_most(command));
}

int print_bash(void)
{
	puts("# bash completion for sidestep                              -*- shell-script -*-\n"
	     "# SPDX-License-Identifier: GPL-2.0-only\n"
	     "# Generated from the tables behind the command line; do not edit.\n"
	     "\n"
	     "# Completes the current word to words, the last of a list with what is before it.\n"
	     "_sidestep_reply()\n"
	     "{\n"
	     "\tmapfile -t COMPREPLY < <(compgen -P \"${2-}\" -W \"$1\" -- \"${current#\"${2-}\"}\")\n"
	     "}\n"
	     "\n"
	     "# Whether there are as many operands before the current word already: - and words that are no option, nor of one.\n"
	     "_sidestep_full()\n"
	     "{\n"
	     "\tlocal -i count=0 i");
	fputs("\tlocal with_argument=' ", stdout);
	complete_print_with_argument();
	puts(" '\n"
	     "\n"
	     "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	     "\t\tif [[ ${COMP_WORDS[i]} != -?* ]]; then\n"
	     "\t\t\tcount+=1\n"
	     "\t\telif [[ $with_argument == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
	     "\t\t\t[[ ${COMP_WORDS[i + 1]} != = ]] || i+=1\n"
	     "\t\t\ti+=1\n"
	     "\t\tfi\n"
	     "\tdone\n"
	     "\t(($1 > 0 && count >= $1))\n"
	     "}\n"
	     "\n"
	     "_sidestep()\n"
	     "{\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
	     "\tlocal option=${COMP_WORDS[COMP_CWORD - 1]} kind='' words='' options='' operands=none most=0");
	fputs("\tlocal commands='", stdout);
	for (size_t i = 0; i < command_count; i++)
		printf("%s ", commands[i].name);
	fputs("help'\n\tlocal flags='", stdout);
	complete_print_flags();
	puts("'\n"
	     "\tlocal IFS=$' \\t\\n'\n"
	     "\n"
	     "\tCOMPREPLY=()\n"
	     "\t# --option=value arrives as three words.\n"
	     "\tif [[ $current == = ]]; then\n"
	     "\t\tcurrent=\n"
	     "\telif [[ $option == = ]]; then\n"
	     "\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	     "\tfi\n"
	     "\tif ((COMP_CWORD == 1)); then\n"
	     "\t\t_sidestep_reply \"$commands -h --help -V --version\"\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase $command in\n"
	     "\thelp) ((COMP_CWORD > 2)) || kind=words words=$commands ;;");
	for (size_t i = 0; i < command_count; i++)
		bash_command(&commands[i]);
	puts("\t*) return ;;\n"
	     "\tesac\n"
	     "\tif [[ -z $kind && $current == -* ]]; then\n"
	     "\t\t_sidestep_reply \"$options\"\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tif [[ -z $kind ]] && _sidestep_full $most; then\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase ${kind:-$operands} in\n"
	     "\twords) _sidestep_reply \"$words\" ;;\n"
	     "\tflags)\n"
	     "\t\tcompopt -o nospace 2>/dev/null\n"
	     "\t\t_sidestep_reply \"$words\" \"${current%\"${current##*,}\"}\" ;;\n"
	     "\tfiles) compopt -o default 2>/dev/null ;;\n"
	     "\toperations)\n"
	     "\t\t_sidestep_reply \"$(\"$1\" test --list 2>/dev/null | sed -n '2,$s/ .*//p')\" ;;\n"
	     "\tesac\n"
	     "}\n"
	     "\n"
	     "complete -F _sidestep sidestep");
	return 0;
}
