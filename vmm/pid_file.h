/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of --pid-file, for tools that attach to a run. */
#ifndef VMM_PID_FILE_H
#define VMM_PID_FILE_H

#include "machine.h"

/* Refuses what cannot be such a file, and sees to it that the file goes away when the run ends, however it does.
 * Returns 0 or a negative errno with the reason in `error`. */
int pid_file_prepare(const char *path, struct machine *machine, struct error *error);

/*
 * Writes the number of the process, then of each vCPU thread with its name, a line each; all have
 * been started. The file appears when it is complete, in place of one that was there. Returns 0 or a
 * negative errno with the reason in `error`.
 */
int pid_file_write(const char *path, struct machine *machine, struct error *error);

#endif
