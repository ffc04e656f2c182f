/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_CMD_RANDOM_H
#define VMM_CLI_CMD_RANDOM_H

#include "vmm/cli/cli.h"

/* sidestep test --random and --replay. Returns the exit status. */
int command_random(const struct settings *settings);

#endif
