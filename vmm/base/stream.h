/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams that data is written to. They remember why they failed: stdio keeps only that they did, and what errno says
 * by the time somebody asks may be of another call. After a failure nothing more is written.
 */
#ifndef VMM_BASE_STREAM_H
#define VMM_BASE_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/* A stream for `fd`, which stays the caller's. With `leave` the process ends when the reader of a pipe has gone, as
 * SIGPIPE would end it: for a command that has nothing to do but to write. NULL: out of memory. */
FILE *stream_open(int fd, bool leave);

/* The descriptor of any stream, also of one of stdio's own. */
int stream_fd(FILE *stream);

/* Whether a descriptor is a terminal that obeys escape sequences: TERM is set, and not to "dumb". */
bool stream_is_screen(int fd);

/* Writes what is buffered. Returns 0 or the negative errno of the first failure. */
int stream_flush(FILE *stream);

/* The same, and frees the stream. */
int stream_finish(FILE *stream);

#endif
