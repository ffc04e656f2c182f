/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of --pid-file, for tools that attach to a run. */
#ifndef VMM_PID_FILE_H
#define VMM_PID_FILE_H

#include "machine.h"

/*
 * Writes the number of the process, then of each vCPU thread with its name, a line each; all have
 * been started. The file appears when it is complete, in place of one that was there. Returns 0 or a
 * negative errno with the reason in `error`. pid_file_remove() is due if it succeeds.
 */
int pid_file_write(const char *path, const struct machine *machine, struct error *error);
void pid_file_remove(const char *path);

#endif
