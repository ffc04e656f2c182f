/* SPDX-License-Identifier: GPL-2.0-only */
/* Who reads what a run writes: without a reader of its report, or of what its guest prints, it ends. */
#ifndef VMM_RUN_OUTPUT_READERS_H
#define VMM_RUN_OUTPUT_READERS_H

#include <poll.h>
#include <stdbool.h>

#include "devices/console.h"
#include "vmm/output/output.h"

#define READERS_MAX 2

struct output_readers {
	const struct console *console; /* NULL: guest output is not what the run is for */
	int fd[READERS_MAX];	       /* -1: nobody who could go away */
};

/* To be called before the jail is closed. `output` may be NULL. What goes to standard error is only told: nobody has to
 * read that. */
void output_readers_note(struct output_readers *readers, const struct console *console, const struct output *output);

/* Fills READERS_MAX entries for poll(2), which tells of a pipe or socket that nobody reads any more without being asked
 * to; and says whether one of them, or a write, has found that. */
void output_readers_await(const struct output_readers *readers, struct pollfd *fds);
bool output_readers_gone(const struct output_readers *readers, const struct pollfd *fds);

/* Has poll(2) look no more. */
void output_readers_forget(struct pollfd *fds);

#endif
