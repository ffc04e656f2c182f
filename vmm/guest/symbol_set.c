/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/symbol_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_PREFIX "@0x"

/* Where "@0x..." begins in "FILE@0x...". NULL: there is none, and an '@' before anything else is the file's own. */
static const char *find_address(const char *text)
{
	const char *at = strrchr(text, '@');

	if (!at || at == text || strncmp(at, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) != 0)
		return NULL;
	at += strlen(ADDRESS_PREFIX);
	return *at && at[strspn(at, "0123456789abcdefABCDEF")] == '\0' ? at - strlen(ADDRESS_PREFIX) : NULL;
}

char *symbol_request_path(const char *file)
{
	const char *at = find_address(file);

	return strndup(file, at ? (size_t)(at - file) : strlen(file));
}

static int place_kernel(struct symbol_set *set, const struct symbol_set_file *entry, struct error *error)
{
	if (entry->file.relocatable)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: a module has no address of its own; write FILE" ADDRESS_PREFIX
				 "..., with the guest's /sys/module/NAME/sections/.text",
				 entry->path);
	if (entry->file.anchor_count == 0)
		return 0;
	if (set->kernel)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: a kernel, as %s is; give one of them, or write FILE" ADDRESS_PREFIX
				 "... to say where it lies",
				 entry->path, set->kernel->path);
	set->kernel = entry;
	return 0;
}

static int place(struct symbol_set_file *entry, const char *at, struct error *error)
{
	char *end;

	errno = 0;
	entry->shift = strtoull(at + 1, &end, 16) - entry->file.code;
	if (errno == ERANGE)
		return error_set(error, -ERANGE, STATUS_USAGE, "%s%s: no address of 64 bits; write FILE" ADDRESS_PREFIX "...",
				 entry->path, at);
	if (!entry->file.has_code)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: does not say where its code begins, so it cannot be placed; leave %s away", entry->path,
				 at);
	return 0;
}

static int add(struct symbol_set *set, const struct symbol_request *request, struct error *error)
{
	struct symbol_set_file *entry = &set->files[set->count++];
	const char *at = find_address(request->file);
	int rc;

	entry->path = symbol_request_path(request->file);
	if (!entry->path)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	rc = request->kind == SYMBOL_MODULES ? symbol_file_open_modules(&entry->file, entry->path, error)
					     : symbol_file_open(&entry->file, entry->path, error);
	if (rc != 0)
		return rc;
	return at ? place(entry, at, error) : place_kernel(set, entry, error);
}

int symbol_set_open(struct symbol_set *set, const struct symbol_request *requests, size_t count, struct error *error)
{
	int rc = 0;

	*set = (struct symbol_set){0};
	set->files = count ? calloc(count, sizeof(*set->files)) : NULL;
	if (count && !set->files)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	/* Where a function and its module begin at one address, the first that is found gives the name. */
	for (int lists = 0; lists < 2; lists++)
		for (size_t i = 0; i < count && rc == 0; i++)
			if ((requests[i].kind == SYMBOL_MODULES) == lists)
				rc = add(set, &requests[i], error);
	return rc;
}

void symbol_set_close(struct symbol_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		symbol_file_close(&set->files[i].file);
		free(set->files[i].path);
	}
	free(set->files);
	*set = (struct symbol_set){0};
}

/* Linux has one half of the address space; what its file has for the other half are no addresses. */
static bool is_other_half(const struct symbol_file *file, uint64_t address)
{
	return file->anchor_count && (address ^ file->anchors[0]) >> 63;
}

const struct image_symbol *symbol_set_at(const struct symbol_set *set, uint64_t address, const uint64_t *moved,
					 uint64_t *ret_offset)
{
	const bool elsewhere = set->kernel && (!moved || *moved);
	const struct image_symbol *best = NULL;

	/* What begins closest before the address is what it is in. */
	for (size_t i = 0; i < set->count; i++) {
		const struct symbol_set_file *entry = &set->files[i];
		const bool moves = entry == set->kernel;
		const uint64_t distance = entry->shift + (moves && moved ? *moved : 0);
		const struct image_symbol *symbol;
		uint64_t offset;

		if ((moves && !moved) || is_other_half(&entry->file, address))
			continue;
		symbol = symbol_file_at(&entry->file, address - distance);
		if (!symbol || (symbol->module && (distance || elsewhere)))
			continue;
		offset = address - distance - symbol->address;
		if (best && offset >= *ret_offset)
			continue;
		best = symbol;
		*ret_offset = offset;
	}
	return best;
}

bool symbol_set_find(const struct symbol_set *set, uint64_t address, struct symbol_place *ret_place)
{
	const struct image_symbol *symbol;
	uint64_t offset;

	symbol = symbol_set_at(set, address, &(const uint64_t){0}, &offset);
	if (!symbol)
		return false;
	*ret_place = (struct symbol_place){symbol->name, symbol->module, address - offset, offset};
	return true;
}
