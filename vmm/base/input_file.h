/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that a command line names to be read; "-" is standard input. */
#ifndef VMM_BASE_INPUT_FILE_H
#define VMM_BASE_INPUT_FILE_H

#include <stdbool.h>
#include <stdint.h>

bool input_is_stdin(const char *path);

/*
 * Opens it, without waiting for the writer of a FIFO. What standard input has, up to its end or one byte more than `limit`,
 * is copied to memory, so that it is a regular file whatever it comes from. Returns a descriptor, close-on-exec, or a
 * negative errno.
 */
int input_open(const char *path, uint64_t limit);

#endif
