/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that a command line names, and what is open before: none that is written may be any other. */
#ifndef VMM_CLI_NAMED_FILES_H
#define VMM_CLI_NAMED_FILES_H

#include "vmm/cli/options.h"

/*
 * To be called before anything is opened. Two names are those of one file if they lead to the same inode, or, where
 * there is no file yet, to the same entry of one directory. Pipes and devices may be given twice, "-" as a file to read
 * once. Returns 0 or -EINVAL with what is wrong in `error`.
 */
int named_files_check(const struct command_row *command, const struct settings *settings, struct error *error);

#endif
