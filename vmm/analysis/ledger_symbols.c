/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/ledger_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int ledger_symbols_find(struct ledger_symbols *symbols, const struct record_code *const *codes, size_t count)
{
	size_t all = 0;

	symbols->names = calloc(count + 1, sizeof(*symbols->names));
	if (!symbols->names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (codes[i]->symbol[0])
			symbols->names[all++] = codes[i]->symbol;
	qsort(symbols->names, all, sizeof(*symbols->names), by_text);
	for (size_t i = 0; i < all; i++)
		if (i == 0 || strcmp(symbols->names[i], symbols->names[symbols->count - 1]) != 0)
			symbols->names[symbols->count++] = symbols->names[i];
	return 0;
}

void ledger_symbols_finish(struct ledger_symbols *symbols)
{
	free(symbols->names);
	*symbols = (struct ledger_symbols){0};
}

uint64_t ledger_symbols_number(const struct ledger_symbols *symbols, const char *name)
{
	const char **found = name[0] ? bsearch(&name, symbols->names, symbols->count, sizeof(*symbols->names), by_text)
				     : NULL;

	return found ? (uint64_t)(found - symbols->names) + 1 : 0;
}

const char *ledger_symbols_name(const struct ledger_symbols *symbols, uint64_t number)
{
	return number && number <= symbols->count ? symbols->names[number - 1] : "?";
}
