/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/pc/pc_boot_layout.h"

#include <assert.h>
#include <string.h>

#include "devices/pc_map.h"
#include "vmm/base/whole_file.h"

#define MIB (UINT64_C(1) << 20)

size_t pc_boot_memory_map(uint64_t memory, struct pc_memory_range ret_ranges[PC_MEMORY_RANGES_MAX])
{
	uint64_t low = memory < RAM_HOLE_BASE ? memory : RAM_HOLE_BASE;
	const struct pc_memory_range ranges[PC_MEMORY_RANGES_MAX] = {
		{0, PC_LOW_MEMORY_END, PC_MEMORY_USABLE},
		{PC_LOW_MEMORY_END, 0xa0000 - PC_LOW_MEMORY_END, PC_MEMORY_RESERVED},
		{PC_ACPI_TABLES, MIB - PC_ACPI_TABLES, PC_MEMORY_RESERVED},
		{MIB, low - MIB, PC_MEMORY_USABLE},
		{RAM_HIGH_BASE, memory - low, PC_MEMORY_USABLE},
	};

	memcpy(ret_ranges, ranges, sizeof(ranges));
	return ranges[PC_MEMORY_RANGES_MAX - 1].size ? PC_MEMORY_RANGES_MAX : PC_MEMORY_RANGES_MAX - 1;
}

uint64_t pc_boot_initrd_size(const struct pc_boot *boot)
{
	uint64_t size = 0;

	for (size_t i = 0; i < boot->file_count; i++)
		size = ((size + 3) & ~UINT64_C(3)) + boot->files[i].size;
	return size;
}

void pc_boot_put(const struct guest_ram *ram, uint64_t gpa, const void *data, size_t size)
{
	int rc = guest_ram_write(ram, gpa_at(gpa), data, size);

	assert(rc == 0 || size == 0);
	(void)rc;
}

/* Straight into guest memory: a copy on the way would cost as much again. */
int pc_boot_put_file(const struct guest_ram *ram, uint64_t gpa, const struct pc_file *file, struct error *error)
{
	void *to = guest_ram_at(ram, gpa_at(gpa), file->size);

	if (file->data) {
		pc_boot_put(ram, gpa, file->data, file->size);
		return 0;
	}
	assert(to);
	return whole_file_copy(file->fd, file->name, 0, to, file->size, error);
}
