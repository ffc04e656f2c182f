/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of the command line share. */
#ifndef TESTS_CLI_FIXTURE_H
#define TESTS_CLI_FIXTURE_H

#include "tests/unit/cmocka_prelude.h"

#include "vmm/cli/cli.h"

/* cli_parse() of a command with up to two words behind it; NULL: none. */
int parse(const char *command, const char *first, const char *second, struct settings *settings, struct error *error);

#endif
