/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/boot_files.h"

#include <unistd.h>

#include "vmm/base/whole_file.h"

#define BOOT_FILE_MAX (UINT64_C(2) << 30)

int boot_files_open(struct boot_files *files, const char *command_line, const char *const *names, unsigned count,
		    struct error *error)
{
	static const struct whole_file_kind kind = {
		.what = "file of --initrd",
		.missing = "name a file that can be read",
		.give = "give an initial file system or a module",
		.empty = "make it again, or leave it out",
		.limit = BOOT_FILE_MAX,
	};

	*files = (struct boot_files){.boot = {.command_line = command_line ? command_line : "", .files = files->files}};
	for (unsigned i = 0; i < count && i < PC_FILES_MAX; i++) {
		struct pc_file *file = &files->files[i];
		int fd = whole_file_open(names[i], &kind, &file->size, error);

		if (fd < 0)
			return fd;
		file->fd = fd;
		file->name = names[i];
		files->boot.file_count++;
	}
	return 0;
}

void boot_files_close(struct boot_files *files)
{
	for (size_t i = 0; i < files->boot.file_count; i++)
		close(files->files[i].fd);
	*files = (struct boot_files){0};
}
