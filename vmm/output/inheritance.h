/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this process was started with: signals, and descriptors. A run needs none of those once it has opened
 * what is named on the command line, which may be one of them (/dev/fd/63).
 */
#ifndef VMM_OUTPUT_INHERITANCE_H
#define VMM_OUTPUT_INHERITANCE_H

#include <signal.h>
#include <stddef.h>

struct inherited {
	int *fds;
	size_t count;
};

/* First of all in main(): whatever the parent has ignored, blocked or closed, children can be waited for,
 * signals arrive, and nothing that is opened later takes the place of standard input, output or error. */
void inherited_settle(void);

/* A signal that the parent has ignored, and may, is none that the run is to end by. */
void inherited_leave_out_ignored(sigset_t *signals);

/* To be called before anything is opened. Standard input is noted, standard output and error are not. Returns
 * 0 or -ENOMEM. */
int inherited_note(struct inherited *inherited);

/* This one, or -1, is needed. */
void inherited_keep(struct inherited *inherited, int fd);

void inherited_close(struct inherited *inherited);

/* Forgets them, open or closed. */
void inherited_finish(struct inherited *inherited);

#endif
