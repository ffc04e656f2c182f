/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this process was started with: signals, and descriptors. A run needs none of those once it has opened
 * what is named on the command line, which may be one of them (/dev/fd/63).
 */
#ifndef VMM_OUTPUT_STARTUP_H
#define VMM_OUTPUT_STARTUP_H

#include <signal.h>
#include <stddef.h>

struct startup {
	int *fds;
	size_t count;
};

/* First of all in main(): whatever the parent has ignored, blocked or closed, children can be waited for,
 * signals arrive, and nothing that is opened later takes the place of standard input, output or error. */
void startup_settle(void);

/* A signal that the parent has ignored, and may, is none that the run is to end by. */
void startup_leave_out_ignored(sigset_t *signals);

/* To be called before anything is opened. Standard input is noted, standard output and error are not. Returns
 * 0 or -ENOMEM. */
int startup_note(struct startup *inherited);

/* This one, or -1, is needed. */
void startup_keep(struct startup *inherited, int fd);

void startup_close(struct startup *inherited);

/* Forgets them, open or closed. */
void startup_finish(struct startup *inherited);

#endif
