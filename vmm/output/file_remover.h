/* SPDX-License-Identifier: GPL-2.0-only */
/* A process of its own that removes a file when this process ends, however it ends. */
#ifndef VMM_OUTPUT_FILE_REMOVER_H
#define VMM_OUTPUT_FILE_REMOVER_H

#include <sys/types.h>

#include "vmm/jail/jail.h"

struct file_remover {
	pid_t pid; /* 0: there is none */
	int fd;
};

/* Starts the process, which is to remove `temporary` in any case, and `path` from file_remover_arm() on. `mode` is for
 * a jail of its own. Returns 0 or a negative errno. */
int file_remover_start(struct file_remover *remover, const char *path, const char *temporary, enum jail_mode mode);

/* `temporary` is about to become `path`; or it could not. Both return 0 or a negative errno. */
int file_remover_arm(struct file_remover *remover);
int file_remover_disarm(struct file_remover *remover);

/* Has it remove the files now. Does nothing for a remover all zero. */
void file_remover_finish(struct file_remover *remover);

#endif
