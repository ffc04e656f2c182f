/* SPDX-License-Identifier: GPL-2.0-only */
/* What carries out each command. */
#ifndef VMM_COMMAND_COMMANDS_H
#define VMM_COMMAND_COMMANDS_H

#include "vmm/cli/options.h"

/* Each returns the exit status. */
typedef int command_fn(const struct settings *settings);

#define COMMAND(name, letter, operands, meaning, more) command_fn command_##name;
#include "vmm/cli/command.def"
#undef COMMAND
/* sidestep test --random and --replay, sidestep profile --pid and --all. */
command_fn command_random, command_attach;

#endif
