/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of the guest's image that exits were in. */
#ifndef VMM_ANALYSIS_LEDGER_SYMBOLS_H
#define VMM_ANALYSIS_LEDGER_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/ledger/record.h"

struct ledger_symbols {
	const char **names; /* each once, in order; they are the records' */
	size_t count;
};

/* Takes the names from records of code. Returns 0 or -ENOMEM; ledger_symbols_finish() is due either way. */
int ledger_symbols_find(struct ledger_symbols *symbols, const struct record_code *const *codes, size_t count);
void ledger_symbols_finish(struct ledger_symbols *symbols);

/* The number of a name, 0 if it is empty or not there, and the name of a number, "?" for 0. */
uint64_t ledger_symbols_number(const struct ledger_symbols *symbols, const char *name);
const char *ledger_symbols_name(const struct ledger_symbols *symbols, uint64_t number);

#endif
