/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep bench --launch and --exit: programs started in turn, beside a bare one that does the least. */
#ifndef VMM_COMMAND_BENCH_BESIDE_H
#define VMM_COMMAND_BENCH_BESIDE_H

#include "vmm/cli/cli.h"

/* How long it takes from the start of a program to its end, --count times each; what one exit to user space takes, in a
 * guest that has --count of them. Both write a table, and return the exit status; a reason is printed. */
int bench_launch(const struct settings *settings);
int bench_exit(const struct settings *settings);

#endif
