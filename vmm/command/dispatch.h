/* SPDX-License-Identifier: GPL-2.0-only */
/* Which function carries out which command. */
#ifndef VMM_COMMAND_DISPATCH_H
#define VMM_COMMAND_DISPATCH_H

#include "vmm/command/commands.h"

/* What carries out a command of the table of commands. */
command_fn *dispatch(const struct command_row *command);

#endif
