/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of the guest's image that exits were in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/ledger_index.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int ledger_index_find_symbols(struct ledger_index *contents)
{
	size_t count = 0;

	contents->symbols = calloc(contents->places.count + 1, sizeof(*contents->symbols));
	if (!contents->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < contents->places.count; i++)
		if (contents->codes[i]->symbol[0])
			contents->symbols[count++] = contents->codes[i]->symbol;
	qsort(contents->symbols, count, sizeof(*contents->symbols), by_text);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(contents->symbols[i],
				     contents->symbols[contents->symbol_count - 1]) != 0)
			contents->symbols[contents->symbol_count++] = contents->symbols[i];
	return 0;
}

uint64_t ledger_index_symbol(const struct ledger_index *contents, uint64_t rip)
{
	const struct record_code *code = ledger_index_code(contents, rip);
	const char *symbol = code ? code->symbol : "", **found;

	found = symbol[0] ? bsearch(&symbol, contents->symbols, contents->symbol_count,
				    sizeof(*contents->symbols), by_text)
			  : NULL;
	return found ? (uint64_t)(found - contents->symbols) + 1 : 0;
}

const char *ledger_index_symbol_name(const struct ledger_index *contents, uint64_t number)
{
	return number && number <= contents->symbol_count ? contents->symbols[number - 1] : "?";
}
