/* SPDX-License-Identifier: GPL-2.0-only */
/* Which function carries out which command. */
#ifndef VMM_CLI_DISPATCH_H
#define VMM_CLI_DISPATCH_H

#include "vmm/cli/cli.h"

/* What carries out a command of the table of commands. */
command_fn *dispatch(const struct command_row *command);

#endif
