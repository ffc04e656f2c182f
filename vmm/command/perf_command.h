/* SPDX-License-Identifier: GPL-2.0-only */
/* The command lines by which perf(1) counts what `sidestep profile` shows. */
#ifndef VMM_COMMAND_PERF_COMMAND_H
#define VMM_COMMAND_PERF_COMMAND_H

#include "vmm/cli/cli.h"

/* Prints them for a run with these settings. Returns the exit status. */
int perf_command_print(const struct settings *settings);

#endif
