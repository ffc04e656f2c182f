/* SPDX-License-Identifier: GPL-2.0-only */
/* A process of its own that removes a file when this process ends, however it ends. */
#ifndef VMM_REMOVER_H
#define VMM_REMOVER_H

#include <sys/types.h>

#include "jail.h"

struct remover {
	pid_t pid; /* 0: there is none */
	int fd;
};

/* Starts the process. `mode` is for a jail of its own. Returns 0 or a negative errno. */
int remover_start(struct remover *remover, const char *path, enum jail_mode mode);

/* The file is there, and is to be removed. Returns 0 or a negative errno. */
int remover_arm(struct remover *remover);

/* Removes the file now. Does nothing for a remover all zero. */
void remover_finish(struct remover *remover);

#endif
