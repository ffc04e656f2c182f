/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/dispatch.h"

command_fn *dispatch(const struct command_row *command)
{
	static command_fn *const functions[] = {
#define COMMAND(name, letter, operands, meaning, more) command_##name,
#include "vmm/cli/command.def"
#undef COMMAND
	};

	return functions[command - commands];
}
