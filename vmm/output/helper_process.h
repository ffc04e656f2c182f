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
 * the whole group of the run ends the run, by SIGKILL too, after which the child still has something to do. `ret_fd` is
 * the caller's to close: in the child it comes to its end when the parent has closed its own, or has ended, however;
 * until then the child hears there what the parent writes. Returns as fork() does, or a negative errno. */
pid_t helper_fork(int *ret_fd);

/* In the child: waits for that end. Returns the last byte that it has heard, or `word` if there was none. */
char helper_hear(int fd, char word);

/* In the child: keeps `in` and `out` (-1: none) as standard input and output, closes everything else but standard
 * error, and seals itself to what may be done in the directory of `path`. Returns 0 or a negative errno. */
int helper_settle(int in, int out, const char *path, enum jail_mode mode);

/* In the parent: waits for the child's end. Returns its exit status as a negative errno, -EIO if a signal
 * has ended it. */
int helper_wait(pid_t pid);

#endif
