/* SPDX-License-Identifier: GPL-2.0-only */
/* What may have been meant by a command or an option that there is not. */
#ifndef VMM_CLI_HINT_H
#define VMM_CLI_HINT_H

#include "vmm/cli/options.h"

/* Each refuses a word; returns -EINVAL. */
int hint_no_command(const char *word, struct error *error);
int hint_no_option(const struct command_row *command, const char *word, struct error *error);

/* Refuses a word if it is an option of another VMM, which `command` is often tried with; otherwise returns 0. NULL is
 * none. */
int hint_foreign(const struct command_row *command, const char *word, struct error *error);

#endif
