/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/written.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

/* Bits of an entry (Linux, Documentation/admin-guide/mm/pagemap.rst): the page is in memory, or in swap. */
#define PAGE_IS_THERE (UINT64_C(3) << 62)

int written_open(void)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return map < 0 ? -errno : map;
}

size_t written_next(int map, const void *memory, size_t at, size_t size)
{
	uint64_t entries[64];

	while (at < size) {
		size_t left = (size - at + WRITTEN_PAGE - 1) / WRITTEN_PAGE, wanted = left < 64 ? left : 64;
		ssize_t got = pread(map, entries, wanted * sizeof(entries[0]),
				    (off_t)(((uintptr_t)memory + at) / WRITTEN_PAGE * sizeof(entries[0])));

		if (got < (ssize_t)sizeof(entries[0]))
			return at;
		for (size_t i = 0; i < (size_t)got / sizeof(entries[0]); i++, at += WRITTEN_PAGE)
			if (entries[i] & PAGE_IS_THERE)
				return at;
	}
	return size;
}
