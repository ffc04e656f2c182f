/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that this process was started with. A run needs none of them once it has opened what is named on
 * the command line, which may be one of them (/dev/fd/63). */
#ifndef VMM_INHERITED_H
#define VMM_INHERITED_H

#include <stddef.h>

struct inherited {
	int *fds;
	size_t count;
};

/* To be called before anything is opened. Standard input is noted, standard output and error are not. Returns
 * 0 or -ENOMEM. */
int inherited_note(struct inherited *inherited);

/* This one, or -1, is needed. */
void inherited_keep(struct inherited *inherited, int fd);

void inherited_close(struct inherited *inherited);

/* Forgets them, open or closed. */
void inherited_finish(struct inherited *inherited);

#endif
