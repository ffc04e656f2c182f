/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a command's data goes: standard output, or a file that appears only when it is complete. */
#ifndef VMM_OUTPUT_H
#define VMM_OUTPUT_H

#include <signal.h>
#include <stdio.h>

#include "error.h"

struct output {
	FILE *stream;
	const char *path; /* NULL: standard output */
	char *temporary;  /* file that becomes `path`; NULL if path is no regular file */
	sigset_t before;  /* with a temporary: the signals that were blocked before it was made */
};

/* Opens for writing. `path` NULL or "-" is standard output; the string is kept, not copied. */
int output_open(struct output *output, const char *path, struct error *error);

/* Makes the file appear under its name. Reports what could not be written. */
int output_commit(struct output *output, struct error *error);

/* Leaves no file behind. Does nothing after output_commit(). */
void output_discard(struct output *output);

#endif
