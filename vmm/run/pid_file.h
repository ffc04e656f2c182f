/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of --pid-file, for tools that attach to a run. */
#ifndef VMM_RUN_PID_FILE_H
#define VMM_RUN_PID_FILE_H

#include "vmm/base/error.h"
#include "vmm/output/file_remover.h"
#include "vmm/output/output_target.h"
#include "vmm/run/vcpu_thread.h"

struct pid_file {
	const char *name; /* as it was given */
	struct output_target target;
	struct file_remover remover; /* the file goes away when the run ends, however it does */
};

/* Refuses what cannot be such a file. `name` is kept, not copied; `mode` is for the process that removes the file.
 * Returns 0 or a negative errno with the reason in `error`. */
int pid_file_prepare(struct pid_file *file, const char *name, enum jail_mode mode, struct error *error);

/*
 * Writes the number of the process, then of each of `count` threads with its name, a line each; all
 * have been started. The file appears when it is complete, in place of one that was there. Returns 0 or a
 * negative errno with the reason in `error`.
 */
int pid_file_write(struct pid_file *file, const struct vcpu_thread *threads, unsigned count,
		   struct error *error);

/* Removes the file. Does nothing for one all zero. */
void pid_file_finish(struct pid_file *file);

#endif
