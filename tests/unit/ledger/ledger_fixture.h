/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of ledgers share: a directory of their own, and a file in it. */
#ifndef TESTS_LEDGER_FIXTURE_H
#define TESTS_LEDGER_FIXTURE_H

#include "vmm/ledger/ledger.h"

/* The directory, the ledger in it, and one that has no directory. */
extern char directory[], path[64], nowhere[64];

/* For a group of tests: makes the directory, removes it with the ledger. */
int make_directory(void **state);
int remove_directory(void **state);

struct record_exit exit_record(uint64_t number);

/* The ledger, made anew and opened; they have to succeed. */
void create(struct ledger *ledger);
void open_ledger(struct ledger_reader *reader);

#endif
