/* SPDX-License-Identifier: GPL-2.0-only */
/* unjailed ARGUMENT...: `sidestep bench ARGUMENT...` without the jail, to tell what that costs. */
#include "vmm/cli/cli.h"
#include "vmm/command/dispatch.h"

int main(int argc, char **argv)
{
	const struct command_row *command = command_by_name("bench");
	struct settings settings;
	struct error error = {0};

	if (cli_parse(command, argc, argv, &settings, &error) != 0)
		return error_report(&error);
	settings.plan.jail = JAIL_NONE;
	return dispatch(command)(&settings);
}
