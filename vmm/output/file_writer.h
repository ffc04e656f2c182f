/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process of its own that makes one file. The process that runs the guest may neither create nor rename
 * files any more when it has something to write; it passes bytes on, and says in the end whether they
 * are complete. This one knows the name, and does nothing else.
 */
#ifndef VMM_OUTPUT_FILE_WRITER_H
#define VMM_OUTPUT_FILE_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include "vmm/jail/jail.h"
#include "vmm/output/output_target.h"

struct file_writer {
	pid_t pid;   /* 0: there is none */
	int data;    /* the file's contents go here; the caller closes it */
	int verdict; /* that they are complete */
};

/*
 * Starts the process. The file appears as `target`, one that is replaced, when file_writer_finish() has said so; if
 * this process ends before, by whatever cause, no file is left behind. `mode` is for a jail of its own. Returns
 * 0 or a negative errno.
 */
int file_writer_start(struct file_writer *writer, const struct output_target *target, enum jail_mode mode);

/* After `data` was closed: has the file appear, or not, and waits for the process. Returns 0 or a
 * negative errno. Does nothing a second time. */
int file_writer_finish(struct file_writer *writer, bool complete);

#endif
