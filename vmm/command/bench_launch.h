/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep bench --launch: how long it takes from the start of a program to its end. */
#ifndef VMM_COMMAND_BENCH_LAUNCH_H
#define VMM_COMMAND_BENCH_LAUNCH_H

#include "vmm/cli/cli.h"

/* Starts each program --count times, in turn, and writes a table. Returns the exit status; a reason is printed. */
int bench_launch(const struct settings *settings);

#endif
