/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the name of an output stands for: a file that is made beside the name and then renamed to it, or something that
 * is written to as it is, because it has no name that could be taken: a pipe, a device, somebody's open descriptor.
 */
#ifndef VMM_OUTPUT_OUTPUT_TARGET_H
#define VMM_OUTPUT_OUTPUT_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct output_target {
	bool replaced; /* it becomes the file by renaming; all below is known then */
	char path[PATH_MAX]; /* behind all symbolic links; a file that may not be there yet */
	char temporary[PATH_MAX]; /* free, in the same directory */
	bool exists;
	mode_t mode; /* permissions of the file that is there, or of a new one */
	uid_t uid; /* of the file that is there */
	gid_t gid;
};

/* Where symbolic links lead from `name`: to `path`, which need not exist and is no link. Returns 0, 1 if that is an
 * open file of a process (/dev/fd/N), which `path` cannot name, or a negative errno. */
int output_target_follow(const char *name, char path[PATH_MAX]);

/* Finds out before the run, not after it, whether the file could be made. Returns 0 or a negative errno. */
int output_target_find(const char *name, struct output_target *target);

#endif
