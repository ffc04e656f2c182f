/* SPDX-License-Identifier: GPL-2.0-only */
/* What a command line says, by the tables of options.h. */
#ifndef VMM_CLI_CLI_H
#define VMM_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "vmm/cli/formats.h"
#include "vmm/cli/options.h"

/* Sets what the arguments ask for; argv[0] is the command's name. Returns 0 or a negative errno. */
int cli_parse(const struct command_row *command, int argc, char **argv, struct settings *settings,
	      struct error *error);

/* As wide as COLUMNS says, or the terminal is, or 80 columns. */
void cli_help(const struct command_row *command, FILE *stream);
void cli_usage(FILE *stream); /* all commands */

/* Whether an option was given. */
bool cli_given(const struct settings *settings, const char *name);

/* Refuses a format that is not in a list as formats.h has them. */
int cli_check_format(const struct settings *settings, const char *formats, struct error *error);

#endif
