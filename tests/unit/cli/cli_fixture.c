/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cli/cli_fixture.h"

#include <stdio.h>

int parse(const char *command, const char *first, const char *second,
		 struct settings *settings, struct error *error)
{
	char words[3][64];
	char *argv[4] = {words[0], NULL};
	int argc = 1;

	snprintf(words[0], sizeof(words[0]), "%s", command);
	if (first) {
		snprintf(words[1], sizeof(words[1]), "%s", first);
		argv[argc++] = words[1];
	}
	if (second) {
		snprintf(words[2], sizeof(words[2]), "%s", second);
		argv[argc++] = words[2];
	}
	argv[argc] = NULL;
	*error = (struct error){0};
	return cli_parse(command_by_name(command), argc, argv, settings, error);
}
