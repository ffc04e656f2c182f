/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a command's data goes: standard output, or a file that appears only when it is complete. */
#ifndef VMM_OUTPUT_OUTPUT_H
#define VMM_OUTPUT_OUTPUT_H

#include <stdio.h>

#include "vmm/base/error.h"
#include "vmm/output/file_writer.h"

struct output {
	FILE *stream;
	const char *path; /* NULL: standard output */
	struct file_writer writer; /* makes the file, if it is a regular one */
};

/* Whether it is "-", or a link to what is open as standard output, such as /dev/stdout: opened once more, a
 * file would be emptied, and written from its beginning. */
bool output_is_stdout(const char *path);

/* Opens for writing. `path` NULL, or one of those, is standard output; the string is kept, not copied. `mode` is for the
 * process that makes the file: that of the run, or JAIL_NONE if there is no run. */
int output_open(struct output *output, const char *path, enum jail_mode mode, struct error *error);

/* Makes the file appear under its name. Reports what could not be written. */
int output_commit(struct output *output, struct error *error);

/* Leaves no file behind. Does nothing after output_commit() or for an output never opened, all zero. */
void output_discard(struct output *output);

#endif
