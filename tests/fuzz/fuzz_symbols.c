/* SPDX-License-Identifier: GPL-2.0-only */
/* A file of symbols: what is accepted is in order, can be printed, and is found. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmm/guest/symbol_file.h"

#define OFFSET_UNIT (UINT64_C(2) << 20)
#define NAME_MAX_ALL (IMAGE_NAME_MAX + strlen("@0123456789abcdef []") + SYMBOL_MODULE_MAX)

static void use(const struct symbol_file *file)
{
	uint64_t offset;

	MUST(file->count > 0);
	for (size_t i = 0; i < file->count; i++) {
		const struct image_symbol *symbol = &file->symbols[i], *found;

		MUST(i == 0 || symbol[-1].address <= symbol->address);
		MUST(symbol->name[0] && strlen(symbol->name) <= NAME_MAX_ALL);
		for (const char *c = symbol->name; *c; c++)
			MUST(*c >= ' ' && *c <= '~');
		MUST(!symbol->module || strstr(symbol->name, symbol->module));
		found = symbol_file_at(file, symbol->address);
		MUST(!found || found->address == symbol->address);
		MUST(found || file->ranges || (file->code_end && symbol->address >= file->code_end));
	}
	MUST(file->anchor_count <= SYMBOL_ANCHORS_MAX);
	for (unsigned i = 0; i < file->anchor_count; i++)
		MUST(symbol_file_offset(file, file->anchors[i] + OFFSET_UNIT, &offset) && offset % OFFSET_UNIT == 0);
	symbol_file_at(file, 0);
	symbol_file_at(file, UINT64_MAX);
	symbol_file_offset(file, UINT64_C(1) << 63, &offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("symbols", MFD_CLOEXEC);
	struct symbol_file file;
	struct error error = {0};
	char path[32];

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int modules = 0; modules < 2; modules++) {
		error = (struct error){0};
		if ((modules ? symbol_file_open_modules : symbol_file_open)(&file, path, &error) == 0)
			use(&file);
		else
			MUST(error.text[0]);
		symbol_file_close(&file);
	}
	close(fd);
	return 0;
}
