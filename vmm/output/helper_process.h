/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes of their own that look after one file each. The process that runs the guest may neither create,
 * rename nor remove files any more when that is due.
 */
#ifndef VMM_OUTPUT_HELPER_PROCESS_H
#define VMM_OUTPUT_HELPER_PROCESS_H

#include <sys/types.h>

#include "vmm/jail/jail.h"

/* fork(), with all signals blocked in the child, which is in a process group of its own when this returns: a signal to
 * the whole group of the run ends the run, by SIGKILL too, after which the child still has something to do. */
pid_t helper_fork(void);

/* In the child: keeps `in` and `out` (-1: none) as standard input and output, closes everything else but standard
 * error, and seals itself to what may be done in the directory of `path`. Returns 0 or a negative errno. */
int helper_settle(int in, int out, const char *path, enum jail_mode mode);

/* In the parent: waits for the child's end. Returns its exit status as a negative errno, -EIO if a signal
 * has ended it. */
int helper_wait(pid_t pid);

#endif
