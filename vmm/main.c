/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <string.h>

#include "cli.h"

int main(int argc, char **argv)
{
	const struct command_row *command;
	struct settings settings;
	struct error error = {0};

	/* A reader that goes away is a failed write, reported like any other. */
	signal(SIGPIPE, SIG_IGN);
	if (argc >= 2 && strcmp(argv[1], "--version") == 0)
		return printf("sidestep %s\n", SIDESTEP_VERSION) < 0 || fflush(stdout) != 0
			       ? STATUS_INTERNAL
			       : STATUS_SUCCESS;
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		cli_usage(stdout);
		return fflush(stdout) != 0 ? STATUS_INTERNAL : STATUS_SUCCESS;
	}
	if (argc < 2) {
		cli_usage(stderr);
		return STATUS_USAGE;
	}
	command = command_by_name(argv[1]);
	if (!command) {
		error_set(&error, -1, STATUS_USAGE, "'%s' is no command; see `sidestep --help`", argv[1]);
		return error_report(&error);
	}
	if (cli_parse(command, argc - 1, argv + 1, &settings, &error) != 0)
		return error_report(&error);
	if (settings.help) {
		cli_help(command, stdout);
		return fflush(stdout) != 0 ? STATUS_INTERNAL : STATUS_SUCCESS;
	}
	return command->run(&settings);
}
