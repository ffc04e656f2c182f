/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest's disk keeps its sectors in: a file of the user's, or memory. */
#ifndef VMM_PLAN_STORAGE_H
#define VMM_PLAN_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/error.h"

struct storage {
	int fd; /* -1: none */
	uint64_t bytes;
	bool read_only;
};

/* What a disk's argument names, "FILE" or "FILE:ro", to be freed; NULL: no memory. */
char *storage_file_name(const char *argument, bool *ret_read_only);

/* Opens a file of whole sectors, and locks it against other writers; "FILE:ro" opens FILE only to read
 * it. Returns 0 or a negative errno with the reason in `error`. */
int storage_open(struct storage *storage, const char *argument, struct error *error);

/* Makes one in memory, zeroed, of SCRATCH_SECTORS sectors. Returns 0 or a negative errno. */
#define SCRATCH_SECTORS 128u
int storage_scratch(struct storage *storage);

void storage_close(struct storage *storage); /* no storage is allowed */

#endif
