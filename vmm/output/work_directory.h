/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory for other programs to work in, which a process of its own removes when this process ends, however it
 * ends. */
#ifndef VMM_OUTPUT_WORK_DIRECTORY_H
#define VMM_OUTPUT_WORK_DIRECTORY_H

#include <limits.h>
#include <sys/types.h>

struct work_directory {
	char path[PATH_MAX];
	int fd; /* of the directory */
	pid_t remover;
	int alive; /* the remover waits for this to be closed */
};

/* Makes it, in TMPDIR or /tmp. Returns 0 or a negative errno, `path` is what could not be made then. */
int work_directory_open(struct work_directory *directory);

/* Removes it with all that is in it. */
void work_directory_close(struct work_directory *directory);

#endif
