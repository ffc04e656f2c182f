/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of a kernel and the files that it is given. */
#ifndef VMM_PLAN_BOOT_FILES_H
#define VMM_PLAN_BOOT_FILES_H

#include "vmm/base/error.h"
#include "vmm/pc/pc_boot.h"

struct boot_files {
	struct pc_boot boot; /* refers to the files below */
	struct pc_file files[PC_FILES_MAX];
};

/* Opens the files of these names; they are read when they are put into guest memory. The names and the command line (NULL:
 * an empty one) are used, not copied. Returns 0 or a negative errno with the reason in `error`; boot_files_close() is due
 * in both cases. */
int boot_files_open(struct boot_files *files, const char *command_line, const char *const *names, unsigned count,
		    struct error *error);
void boot_files_close(struct boot_files *files);

#endif
